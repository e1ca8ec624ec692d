"""What a content destination answers, or does not."""

from __future__ import annotations

from .base import BodywornError


class DestinationProblem(BodywornError):
    """Base of everything that can go wrong between this system and a content destination."""

    id = "destination-problem"
    sentence = "The content destination could not be used."
    mend = "See the content destination's page for the cause."


class DestinationNameRefused(DestinationProblem):
    """A name that the wire cannot carry: a mistake of the caller, before anything is sent."""

    id = "destination-name-refused"
    sentence = "A container or object cannot have this name at the content destination: {reason}."
    mend = "Download a system report and contact support."


class DestinationUnreachable(DestinationProblem):
    """Base of connection failures; raised itself when several addresses were tried and none worked."""

    id = "destination-unreachable"
    sentence = "Connection failed: no address of the content destination can be reached ({addresses})."
    mend = "Check the network, the firewall, a proxy, and that the destination is running."
    retry = True


class DestinationNameUnknown(DestinationUnreachable):
    id = "destination-name-unknown"
    sentence = "Connection failed: nobody knows a machine named {host}."
    mend = "Check the DNS servers of this controller and the address in the connection file."


class DestinationRefusesConnection(DestinationUnreachable):
    id = "destination-refuses-connection"
    sentence = "Connection failed: {host} does not accept connections ({reason})."


class DestinationTooSlow(DestinationUnreachable):
    id = "destination-too-slow"
    sentence = "Connection failed: {host} did not answer in time."


class DestinationHungUp(DestinationUnreachable):
    id = "destination-hung-up"
    sentence = "Connection failed: {host} closed the connection before it answered."


class ProxyUnreachable(DestinationUnreachable):
    """The proxy itself does not answer; nothing is known of the destination behind it."""

    id = "proxy-unreachable"
    sentence = "Connection failed: the proxy {proxy} cannot be reached ({reason})."
    mend = "Check the proxy's address on the content destination's page, and that the proxy is running."


class ProxySignInRefused(DestinationUnreachable):
    id = "proxy-refuses-sign-in"
    sentence = "Connection failed: the proxy {proxy} does not accept the name and password entered here, or wants some."
    mend = "Enter the name and password of the proxy on the content destination's page."
    retry = False


class ProxyRefuses(DestinationUnreachable):
    id = "proxy-refuses"
    sentence = "Connection failed: the proxy {proxy} makes no connection to {host} (status {status})."
    mend = "Have the proxy's operator allow connections to {host}, and check that the destination is running."


class ProxyNonsense(DestinationUnreachable):
    id = "proxy-nonsense"
    sentence = "Connection failed: {proxy} answers something that no proxy answers."
    mend = "Check the proxy's address and port on the content destination's page."


class ProxyNeedsTls(DestinationProblem):
    """Raised before anything is sent: a proxy is never shown a password of the destination."""

    id = "proxy-needs-tls"
    sentence = "{host} is reached by plain HTTP, which never goes through a proxy."
    mend = "Use a connection file with https addresses and a certificate, or no proxy."


class ProxyAddressRefused(DestinationProblem):
    """Raised for what was entered; nothing is asked of anybody."""

    id = "proxy-address-refused"
    sentence = "This proxy cannot be used: {reason}."
    mend = "Enter it as proxy.example:3128, with its name and password in their own fields."


class CertificateRefused(DestinationProblem):
    id = "certificate-refused"
    sentence = "{host} does not show the certificate of the connection file: {reason}."
    mend = "If the destination's certificate was renewed, upload its new connection file; if not, ask its operator."


class TlsFailed(DestinationProblem):
    id = "tls-failed"
    sentence = "No protected connection to {host} could be made: {reason}."
    mend = "Check that the address leads to the destination itself and that it offers TLS 1.2 or later."
    retry = True


class RedirectRefused(DestinationProblem):
    id = "redirect-refused"
    sentence = "{host} sent this system elsewhere (status {status}), which is never followed."
    mend = "Put the final address into the connection file, or remove the proxy in between."


class NonsenseAnswer(DestinationProblem):
    id = "nonsense-answer"
    sentence = "{host} answered something that no content destination answers: {reason}."
    mend = "Check that the address leads to the content destination and not to something in front of it."
    retry = True


class StorageUrlRefused(DestinationProblem):
    id = "storage-url-refused"
    sentence = "The destination names a storage address that cannot be trusted: {reason}."
    mend = "Correct the destination's storage address; it must be at the host of the connection file."


class StorageHostUnconfirmed(StorageUrlRefused):
    id = "storage-host-unconfirmed"
    sentence = "The destination stores at another machine, {storage_host}, which nobody has confirmed yet."
    mend = "If that machine belongs to the destination, confirm it on the content destination's page."


class AuthorizationFailed(DestinationProblem):
    id = "authorization-failed"
    sentence = "Authorization failed: the destination does not accept the user name and key of the connection file."
    mend = "Export a new connection file at the destination and upload it."


class LicenceMissing(DestinationProblem):
    id = "licence-missing"
    sentence = "The content destination has no licence left."
    mend = "Add licences at the content destination; it is tried again every hour."
    retry = True


class Forbidden(DestinationProblem):
    id = "destination-forbids"
    sentence = "The content destination does not permit this to be stored or read."
    mend = "Give the account of the connection file permission to write at the destination."


class Rejected(DestinationProblem):
    """Status 400: this content can never be stored; the evidence stays here, downloadable."""

    id = "destination-rejected"
    sentence = "The content destination rejects this content for good."
    mend = "Ask the destination's operator why it is refused. Then try again, or download it."


class MissingContainer(DestinationProblem):
    id = "destination-container-missing"
    sentence = "The content destination does not know the place to store this in."
    mend = "Nothing needs to be done; it is made again."
    retry = True


class MissingObject(DestinationProblem):
    id = "destination-object-missing"
    sentence = "The content destination does not have this object."
    mend = "Nothing needs to be done."


class DestinationFailed(DestinationProblem):
    """Status 500, 502, 504 or 408; ``retry_after_seconds`` in the values, 0 when it was not said."""

    id = "destination-failed"
    sentence = "The content destination failed with status {status}."
    mend = "It is tried again; if it lasts, ask the destination's operator."
    retry = True

    @property
    def retry_after_seconds(self) -> float:
        """How long the destination asks to be left alone; 0 when it did not say."""
        return float(self.values.get("retry_after_seconds", 0))


class Busy(DestinationFailed):
    id = "destination-busy"
    sentence = "The content destination is busy (status {status})."
    mend = "Nothing needs to be done; it is tried again soon."


class DestinationFull(DestinationProblem):
    id = "destination-full"
    sentence = "The content destination is full."
    mend = "Make room at the content destination; transfers wait until then."
    retry = True


class TooLarge(DestinationProblem):
    id = "destination-too-large"
    sentence = "This object of {size_bytes} bytes is larger than the content destination takes."
    mend = "Download it, and choose shorter clips in the camera's profile. Evidence is never split here."


class RejectedAlsoThere(DestinationProblem):
    """Refused where the recording belongs, and refused again as rejected content."""

    id = "destination-rejects-rejected"
    sentence = "The content destination takes this neither where it belongs nor as rejected content."
    mend = "Download it: its only copies are the one here and, until it is erased, the one on the camera."


class NoticeRefused(DestinationProblem):
    """The description of a user, a camera or this system was refused; that says nothing about recordings."""

    id = "destination-refuses-description"
    sentence = "The content destination refuses the description of {what} that belongs to this recording."
    mend = "Ask the destination's operator why; rename the user or camera if its name is the cause. It is tried again."
    retry = True


class AnotherDestination(DestinationProblem):
    id = "another-destination"
    sentence = "The destination knows this system by another connection: it is not the one that was connected."
    mend = "Upload the connection file of this destination again; nothing is sent until then."


class NetworkCorrupts(DestinationProblem):
    """Sent several times from a copy that is whole here, and each time something else arrived."""

    id = "network-corrupts"
    sentence = "What arrives at the content destination differs again and again, although the copy here is whole."
    mend = "Check the network, a proxy and the destination's store: one of them damages data. It is tried again."


class EtagDiffers(DestinationProblem):
    """The destination holds, or received, other bytes than were sent."""

    id = "destination-etag-differs"
    sentence = "What arrived at the content destination is not what was sent."
    mend = "It is sent again; if it happens repeatedly, the network or this store damages data."
    retry = True


class DifferentAtDestination(DestinationProblem):
    """Something else already has this name there; it is never overwritten."""

    id = "different-at-destination"
    sentence = "The content destination already holds something else under this name."
    mend = "Both are kept; find out who else writes to this destination."


class BodyChanged(DestinationProblem):
    """The local object is shorter or longer than it was when its digest was taken."""

    id = "upload-body-changed"
    sentence = "The stored copy is not as long as it was; it was not sent."
    mend = "The copy is checked again and fetched once more from its source."


class CategoriesMalformed(DestinationProblem):
    id = "categories-malformed"
    sentence = "The list of categories at the content destination cannot be read: {reason}."
    mend = "Correct Categories.json at the content destination."


class ClockDiffers(DestinationProblem):
    """A warning of the rehearsal, never raised."""

    id = "destination-clock-differs"
    sentence = "The content destination's clock differs from this system's by {seconds} seconds."
    mend = "Let both take their time from the same NTP server."
