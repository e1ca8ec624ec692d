"""The one tree of errors: a stable id, a sentence for the operator, what to do, and whether trying again can help.

Foreign errors are translated into these once, at the edge where they appear. Pages show :attr:`BodywornError.sentence`
and :attr:`BodywornError.mend` in the operator's language; the database keeps ``id`` and ``values`` alone, so a problem
that was recorded yesterday is shown in whatever language is spoken today. Each room has its section below.
"""

from __future__ import annotations

from typing import ClassVar


class BodywornError(Exception):
    """Base of the tree.

    Values named in a sentence are passed as keywords and must be plain strings or numbers, never secrets.
    """

    #: Stable name of the problem, in logs, database, API and help.
    id: ClassVar[str] = "internal"
    #: What happened, for the operator; ``str.format`` fields are taken from the values.
    sentence: ClassVar[str] = "Something unexpected happened."
    #: What the operator can do about it; empty when nothing is needed.
    mend: ClassVar[str] = "Download a system report and contact support."
    #: True when the same action may succeed later without anybody doing anything.
    retry: ClassVar[bool] = False

    def __init__(self, **values: str | int | float) -> None:
        self.values = values
        super().__init__(self.sentence.format(**values))

    @property
    def advice(self) -> str:
        """What the operator can do about it, with the values filled in; in English, like ``str()``."""
        return self.mend.format(**self.values)


def describe(problem_id: str) -> type[BodywornError]:
    """Find the error class of a stored problem id; the base class when the id is of another version."""
    return _by_id().get(problem_id, BodywornError)


def every_error() -> list[type[BodywornError]]:
    """List the whole tree, base first; each id occurs once (a test holds that)."""
    found: list[type[BodywornError]] = [BodywornError]
    for parent in found:
        found.extend(parent.__subclasses__())
    return found


def _by_id() -> dict[str, type[BodywornError]]:
    return {error.id: error for error in every_error()}


# --- host and plugin -------------------------------------------------------------------------------------------------


class Incompatible(BodywornError):
    """Raised by ``setup`` when the host cannot run this version of the plugin."""

    id = "incompatible"
    sentence = "This host cannot run the body worn plugin: {reason}."
    mend = "Install the version of the plugin that the host asks for, or update the host."


class SetupFailed(BodywornError):
    """Raised by ``setup`` when a part of the host that the plugin relies on is missing or refuses."""

    id = "setup-failed"
    sentence = "The body worn plugin could not be set up: {reason}."
    mend = "Correct the host's configuration and load the plugin again."


class NotReady(BodywornError):
    """Raised by ``start`` when a service cannot run yet; the host tries again later."""

    id = "not-ready"
    sentence = "The body worn plugin is not ready: {reason}."
    mend = "Nothing needs to be done; it is tried again."
    retry = True


# --- database --------------------------------------------------------------------------------------------------------


class DatabaseUnsafe(BodywornError):
    """Raised at connection when a setting that durability rests on did not take."""

    id = "database-unsafe"
    sentence = "The database does not keep {setting} at {wanted}; it is {found}."
    mend = "Put the database on a local disk. Network filesystems cannot keep what evidence needs."


class DatabaseOutdated(BodywornError):
    """Raised when the tables are of another version than the code."""

    id = "database-outdated"
    sentence = "The database is at version {found}, and this version of the plugin needs {wanted}."
    mend = "Run: bodyworn db upgrade."


# --- crypto ----------------------------------------------------------------------------------------------------------


class KeyRefused(BodywornError):
    """Raised when bytes or text are not an Ed25519 key."""

    id = "key-refused"
    sentence = "This is not a key of the kind that is used here."
    mend = "Add the device again; if that does not help, contact its maker."


class EnvelopeRefused(BodywornError):
    """Parent of every reason not to believe a signed document."""

    id = "envelope-refused"
    sentence = "A signed document was refused."
    mend = "Dock the device again; if it happens again, it may be damaged or tampered with."


class EnvelopeMalformed(EnvelopeRefused):
    """Raised when bytes are no envelope, order or certificate at all."""

    id = "envelope-malformed"
    sentence = "A signed document is damaged: it cannot be read."


class EnvelopeTooLarge(EnvelopeRefused):
    """Raised before anything of an oversized document is read."""

    id = "envelope-too-large"
    sentence = "A signed document is larger than the {limit_bytes} bytes allowed."


class EnvelopeOfOtherType(EnvelopeRefused):
    """Raised when an envelope holds another kind or version of document than the one asked for."""

    id = "envelope-other-type"
    sentence = "A signed document is not of the kind expected here: {expected}."


class SignatureRefused(EnvelopeRefused):
    """Raised when none of the keys asked about signed these bytes."""

    id = "signature-refused"
    sentence = "The signature of a document does not hold."


class AuthorityRefused(EnvelopeRefused):
    """Raised when signatures hold, but their owner has no say here; parent of the particular reasons."""

    id = "authority-refused"
    sentence = "An order was refused: who signed it has no authority to give it."
    mend = "Check that the controller belongs to this system."


class AuthorityOfOtherSystem(AuthorityRefused):
    """Raised for an order or certificate of another system."""

    id = "authority-other-system"
    sentence = "An order was refused: it comes from another system."
    mend = "Remove the device in the system it belongs to, then add it here."


class AuthorityOfOlderEpoch(AuthorityRefused):
    """Raised for an order from before the system was restored."""

    id = "authority-older-epoch"
    sentence = "An order was refused: it is of epoch {epoch}, and epoch {least_epoch} has begun."
    mend = "This controller worked before the system was restored. Add it to the system again."


class AuthorityExpired(AuthorityRefused):
    """Raised outside the time in which a certificate is valid."""

    id = "authority-expired"
    sentence = "An order was refused: the authority of who signed it has ended or not begun."
    mend = "Check the clocks, and that the controller can reach the system controller to renew its authority."


class RightMissing(AuthorityRefused):
    """Raised when a controller orders what its certificate does not allow."""

    id = "authority-right-missing"
    sentence = "An order was refused: the controller was not given the right to {right}."


class MasterKeyRefused(BodywornError):
    """Raised when a file is no master key, or asks for a derivation outside the allowed range; nothing was computed."""

    id = "master-key-refused"
    sentence = "This file is not a master key."
    mend = "Choose the file that was downloaded from this system; its name ends in .bwmk."


class WrongPassphrase(BodywornError):
    """Raised alike for a wrong passphrase and for a master key that was damaged: nobody can tell them apart."""

    id = "wrong-passphrase"
    sentence = "The passphrase is wrong, or the master key is damaged."
    mend = "Enter the passphrase again. If you are sure of it, use another copy of the master key."


class PassphraseTooWeak(BodywornError):
    """Raised when a new passphrase could be guessed."""

    id = "passphrase-too-weak"
    sentence = "This passphrase is too easy to guess."
    mend = "Use at least five words, or fifteen characters, that do not follow a pattern."


class DestinationKeyRefused(BodywornError):
    """Raised when a destination's public key cannot be used for content encryption."""

    id = "destination-key-refused"
    sentence = "The content destination's public key cannot be used: it must be an RSA key of at least 2048 bits."
    mend = "Make a new connection file at the content destination."


class KeyObjectRefused(BodywornError):
    """Raised when a key object is damaged, or was made for another key than the one at hand."""

    id = "key-object-refused"
    sentence = "The key of this encrypted recording cannot be opened."
    mend = "Check that the private key belongs to the public key that the recording was encrypted for."


class ContentDamaged(BodywornError):
    """Raised when encrypted content does not decrypt to what was encrypted."""

    id = "content-damaged"
    sentence = "Encrypted content is damaged: it does not decrypt to the recording."
    mend = "It is copied again from where it came. If it happens again, check the disk."


class SealBroken(BodywornError):
    """Raised when a sealed secret was altered, or belongs to another machine or purpose."""

    id = "seal-broken"
    sentence = "A secret kept on this machine cannot be opened."
    mend = "Restore the machine's key file, or enter the secret again."


class SealKeyUnsafe(BodywornError):
    """Raised when the machine's key file is damaged, or others may read it."""

    id = "seal-key-unsafe"
    sentence = "The machine's key file is damaged, or other users of this machine may read it."
    mend = "Give the file to the service's user alone (mode 0600), or restore it from a backup."


# --- store -----------------------------------------------------------------------------------------------------------


class StoreError(BodywornError):
    """Base of everything that the store raises by itself."""

    id = "store"
    sentence = "The storage refused {name}."


class StoreFull(StoreError):
    """Raised when the disk or a quota has no room; nothing is left of the attempt."""

    id = "store-full"
    sentence = "The storage is full: {name} could not be stored."
    mend = "Free space, or wait until recordings have been transferred to the content destination. Nothing was lost."
    retry = True


class StoreDamaged(StoreError):
    """Raised when the device or its file system reports an error; the attempt is void."""

    id = "store-damaged"
    sentence = "The storage reported an error at {name}: {reason}."
    mend = "Check the disk and replace it if need be. What is still on a camera stays there."


class RereadDiffers(StoreError):
    """Raised when the device gives back other bytes than were written to it; the attempt is void."""

    id = "store-reread-differs"
    sentence = "The storage gave back {name} differently from how it was written."
    mend = "Check the disk and the memory of this machine. What is still on a camera stays there."


class StoreNotWritable(StoreError):
    """Raised when the storage is mounted read-only or belongs to somebody else."""

    id = "store-not-writable"
    sentence = "The storage cannot be used for {name}: {reason}."
    mend = "Mount the storage for writing and make the plugin's account its owner."


class DifferentContent(StoreError):
    """Raised when a name is taken by other bytes; both are kept, the new ones in quarantine."""

    id = "store-different-content"
    sentence = "{name} is stored already with different content. Both were kept."
    mend = "Compare the two before either is used as evidence; download a system report and contact support."


class NoSuchObject(StoreError):
    """Raised when nothing stands under the name."""

    id = "store-no-such-object"
    sentence = "The storage has no {name}."
    mend = "If it was there before, check the disk; what is still on a camera is stored again."


class NotAnObject(StoreError):
    """Raised when a link, device or folder stands where an object should be; it is left alone."""

    id = "store-not-an-object"
    sentence = "What stands in the storage as {name} was not put there by this system."
    mend = "Find out who changed the storage, and remove what does not belong there."


class NameRefused(StoreError):
    """Raised for a name that cannot be one: hidden, too long, or not a single printable component."""

    id = "store-name-refused"
    sentence = "{name} cannot be the name of an object."
    mend = "Choose a name of at most 255 bytes without slashes that does not begin with a dot."


# --- content destination: the connection file ------------------------------------------------------------------------


class ConnectionFileRefused(BodywornError):
    """Base of everything that makes a connection file unusable; nothing of such a file is kept."""

    id = "connection-file-refused"
    sentence = "The connection file cannot be used."
    mend = "Export a new connection file at the content destination and upload that."


class ConnectionFileTooLarge(ConnectionFileRefused):
    id = "connection-file-too-large"
    sentence = "The connection file is larger than {limit_bytes} bytes."
    mend = "Check that this is the file that the content destination exported."


class ConnectionFileNotJson(ConnectionFileRefused):
    id = "connection-file-not-json"
    sentence = "The connection file is not a JSON object: {reason}."
    mend = "Check that this is the file that the content destination exported, unchanged."


class ConnectionFileVersionUnknown(ConnectionFileRefused):
    id = "connection-file-version-unknown"
    sentence = "The connection file has version {version}; this system understands version {known}."
    mend = "Update this system, or export a connection file of version {known}."


class ConnectionFieldMissing(ConnectionFileRefused):
    id = "connection-field-missing"
    sentence = "{field} is missing from the connection file, or empty."


class ConnectionFieldOfWrongType(ConnectionFileRefused):
    id = "connection-field-of-wrong-type"
    sentence = "{field} in the connection file is not {expected}."


class ConnectionFieldTooLong(ConnectionFileRefused):
    id = "connection-field-too-long"
    sentence = "{field} in the connection file is longer than {limit} characters."


class ConnectionFieldHasControlCharacters(ConnectionFileRefused):
    id = "connection-field-has-control-characters"
    sentence = "{field} in the connection file contains characters that cannot be shown or sent."


class ConnectionFieldNotBase64(ConnectionFileRefused):
    id = "connection-field-not-base64"
    sentence = "{field} in the connection file is not base64 text."


class ConnectionFieldNotAChoice(ConnectionFileRefused):
    id = "connection-field-not-a-choice"
    sentence = "{field} in the connection file is none of the values that this system knows: {choices}."


class ConnectionListTooLong(ConnectionFileRefused):
    id = "connection-list-too-long"
    sentence = "{field} in the connection file lists more than {limit} entries."


class ConnectionAddressRefused(ConnectionFileRefused):
    id = "connection-address-refused"
    sentence = "{field} in the connection file is not an address that can be used: {reason}."


class ConnectionCertificateMissing(ConnectionFileRefused):
    id = "connection-certificate-missing"
    sentence = "{field} is an https address, but HTTPSCertificate holds no certificate to recognise it by."
    mend = "Export a connection file that contains the destination's certificate."


class ConnectionCertificateUnreadable(ConnectionFileRefused):
    id = "connection-certificate-unreadable"
    sentence = "{field} in the connection file is not a certificate that can be read."


class ConnectionUnprotected(ConnectionFileRefused):
    """Plain HTTP to another machine; a person has to say that this is wanted."""

    id = "connection-unprotected"
    sentence = "{field} is a plain http address: recordings and the API key would travel unprotected."
    mend = "Use https at the destination; plain http is for development and has to be allowed explicitly."


class ConnectionMixesHttp(ConnectionFileRefused):
    id = "connection-mixes-http"
    sentence = "{field} is a plain http address although HTTPSCertificate holds certificates."
    mend = "Export a connection file whose addresses all begin with https."


class ConnectionKeyMissing(ConnectionFileRefused):
    id = "connection-key-missing"
    sentence = "WantEncryption asks for encrypted recordings, but {field} is missing from the connection file."
    mend = "Export a connection file with the public key, or switch encryption off at a new destination."


class ConnectionKeyUnreadable(ConnectionFileRefused):
    id = "connection-key-unreadable"
    sentence = "PublicKey in the connection file is not an RSA public key that can be read."


class ConnectionKeyTooShort(ConnectionFileRefused):
    id = "connection-key-too-short"
    sentence = "PublicKey in the connection file has {bits} bits; at least {least_bits} are needed."
    mend = "Make a longer key pair at the destination and export a new connection file."


class ConnectionKeyWeak(BodywornError):
    """A warning, never raised: the file is accepted."""

    id = "connection-key-weak"
    sentence = "The destination's public key has {bits} bits; {advised_bits} or more are advised."
    mend = "Plan for a longer key pair at the destination."


class EncryptionTurnedOff(ConnectionFileRefused):
    id = "encryption-turned-off"
    sentence = "WantEncryption in the connection file would turn encryption off; once on, it stays on."
    mend = "Export a connection file with encryption, or set up a new system for a destination without it."


class FullStoreTurnedOff(ConnectionFileRefused):
    id = "full-store-turned-off"
    sentence = "FullStoreAndReadSupport in the connection file would be turned off; once on, it stays on."


class ContainerTypeChanged(ConnectionFileRefused):
    id = "container-type-changed"
    sentence = "ContainerType in the connection file changes from {before} to {after}; it cannot change."


# --- content destination: the wire -----------------------------------------------------------------------------------


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
    mend = "Download the recording, and ask the destination's operator why it is refused."


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
    mend = "Download the recording, and choose shorter clips in the camera's profile."


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


# --- camera volume ---------------------------------------------------------------------------------------------------


class CameraVolumeError(BodywornError):
    """Base of what can go wrong with a camera's units; nothing on the camera was changed."""

    id = "camera-volume"
    sentence = "The camera cannot be read."
    mend = "Undock the camera and dock it again. If it happens again, try another bay."
    retry = True


class KernelTooOld(CameraVolumeError):
    """Raised where the kernel cannot confine opening a file to the camera's folder."""

    id = "kernel-too-old"
    sentence = "This machine's kernel lacks openat2, without which cameras are not read."
    mend = "Run Linux 5.6 or newer, and let a container's system call filter allow openat2."
    retry = False


class DocumentRefused(CameraVolumeError):
    """Raised when a document of the camera volume format breaks the format's rules."""

    id = "document-refused"
    sentence = "The camera's document {document} does not follow the format: {reason}."
    mend = "Update the camera's firmware; its recordings stay on the camera until then."
    retry = False


class CameraNameRefused(CameraVolumeError):
    """Raised for a name that the camera volume format does not allow."""

    id = "camera-name-refused"
    sentence = "The camera has a file or folder whose name is not allowed: {name}."
    mend = "Nothing is read from it. Report it to the maker of the camera."
    retry = False


class CameraFileMissing(CameraVolumeError):
    """Raised when a file that should be on a unit is not there, or has vanished."""

    id = "camera-file-missing"
    sentence = "The file {name} is not on the camera."
    mend = "The other files of the recording are kept. Report it to the maker of the camera."
    retry = False


class CameraFileRefused(CameraVolumeError):
    """Raised for anything that is no regular file inside the unit: links, pipes, devices, other mounts."""

    id = "camera-file-refused"
    sentence = "The camera offers {name}, which is not an ordinary file. It was not opened."
    mend = "Somebody may have tampered with the camera. Have it examined before it is used again."
    retry = False


class CameraListingTooLong(CameraVolumeError):
    """Raised when a camera lists more than the format allows."""

    id = "camera-listing-too-long"
    sentence = "The camera lists more than {limit} entries in {name}."
    mend = "Have the camera examined; its storage may be damaged."
    retry = False


class CameraUnreadable(CameraVolumeError):
    """Raised when reading or writing a unit fails, as it does when the camera is pulled out."""

    id = "camera-unreadable"
    sentence = "The camera could not be read or written at {name}: {reason}."


class UnitAbsent(CameraVolumeError):
    """Raised when a unit is not there because it is the other side's turn, or no camera is docked."""

    id = "unit-absent"
    sentence = "The camera's {unit} unit is not there."
    mend = "Nothing needs to be done; it is tried again."


class TurnTimedOut(CameraVolumeError):
    """Raised when a camera does not give its units back in time."""

    id = "turn-timed-out"
    sentence = "The camera did not answer within {seconds} seconds."


class CameraGone(CameraVolumeError):
    """Raised when the camera was undocked while something was done with it."""

    id = "camera-gone"
    sentence = "The camera was undocked."
    mend = "Dock it again; the transfer goes on where it stopped."


class PortUnusable(CameraVolumeError):
    """Raised when the simulated USB socket cannot hand units over."""

    id = "port-unusable"
    sentence = "The simulated dock cannot be used: {reason}."
    mend = "Keep the folders of simulated docks and cameras on one writable filesystem."
    retry = False


# --- simulator -------------------------------------------------------------------------------------------------------


class SimulatorError(BodywornError):
    """Base of what a simulated camera refuses or cannot do."""

    id = "simulator"
    sentence = "The simulated camera cannot do that."
    mend = "See the simulated camera's page for its state."


class OutOfTurn(SimulatorError):
    """Raised when a simulated camera is made to touch a unit that is in the host's hands."""

    id = "out-of-turn"
    sentence = "The camera's {unit} unit is in the host's hands; the camera may not touch it."
    mend = "Undock the camera, or wait until its host ejects the unit."


class CameraNotReady(SimulatorError):
    """Raised when a camera cannot record: no system, no user, locked, docked, empty."""

    id = "camera-not-ready"
    sentence = "The camera cannot record: {reason}."
    mend = "Add the camera to the system, assign it to a user, dock it once, and undock it charged."


class CameraFull(SimulatorError):
    """Raised when a camera has no room for a recording."""

    id = "camera-full"
    sentence = "The camera's storage is full."
    mend = "Dock the camera and wait until its recordings are transferred."


class AlreadyDocked(SimulatorError):
    """Raised when a bay is taken, or a camera is in a bay already."""

    id = "already-docked"
    sentence = "There is a camera in bay {bay} already."
    mend = "Undock it first, or choose another bay."


class MediaLibraryMissing(SimulatorError):
    """Raised when recordings cannot be made because the optional media library is not installed."""

    id = "media-library-missing"
    sentence = "Recordings cannot be made: the media library is not installed."
    mend = "Install it with: pip install 'bodyworn[media]'."


class ClipTooSmall(SimulatorError):
    """Raised when a clip is asked to be smaller than a valid file can be."""

    id = "clip-too-small"
    sentence = "A clip cannot be as small as {size_bytes} bytes."
    mend = "Ask for at least {least_bytes} bytes."


class SimulatedVolumeFailed(SimulatorError):
    """Raised when a simulated camera's image file cannot be made, mounted or unmounted."""

    id = "simulated-volume-failed"
    sentence = "The simulated camera's storage could not be used: {reason}."
    mend = "Image files need root, losetup and the tools of the filesystem; folders need nothing."


# --- services --------------------------------------------------------------------------------------------------------


class NoSystem(BodywornError):
    """Raised where a system is needed and none was founded yet."""

    id = "no-system"
    sentence = "There is no body worn system here yet."
    mend = "Set up a new system first."


class AlreadyFounded(BodywornError):
    """Raised when a second system is to be founded in one database."""

    id = "already-founded"
    sentence = "There is a body worn system here already."
    mend = "Reset the existing system before you create another one."


class UnknownCamera(BodywornError):
    """Raised when a camera does not exist (any more)."""

    id = "unknown-camera"
    sentence = "This camera is not known here."
    mend = "Go back to the list of cameras and choose one that is there."


class UnknownRecording(BodywornError):
    """Raised when a page names a recording that does not exist."""

    id = "unknown-recording"
    sentence = "This recording does not exist."
    mend = "Choose one from the list of recordings."


class ConnectionFileMissing(BodywornError):
    """Raised when the form was sent without a file, or with an empty one."""

    id = "connection-file-missing"
    sentence = "No connection file was chosen, or it is empty."
    mend = "Choose the file that the content destination exported."


class OwnCertificateUnknown(BodywornError):
    """Raised when a connection file is to name an address of this server that shows no certificate."""

    id = "own-certificate-unknown"
    sentence = "Nothing shows a certificate at {address}."
    mend = "Enter an address of this server as other machines reach it, and check that it serves HTTPS."


class UnknownCameraUser(BodywornError):
    """Raised when a camera user does not exist or was removed."""

    id = "unknown-camera-user"
    sentence = "This user is not known here, or was removed."
    mend = "Choose a user from the list."


class UserIdTaken(BodywornError):
    """Raised when a user ID is to be given twice."""

    id = "user-id-taken"
    sentence = "The user ID {user_id} belongs to somebody else."
    mend = "Enter another user ID, or leave it empty."


# --- receiver --------------------------------------------------------------------------------------------------------


class ReceiverProblem(BodywornError):
    """Parent of what the receiver answers instead of doing what a body worn system asked for."""

    id = "receiver"
    sentence = "The receiver refused a request."
    mend = "Look at the messages of the body worn system that sends here."


class SignInRefused(ReceiverProblem):
    """Raised alike for an unknown, a closed and a mistaken account, and for a token that is wrong or has ended."""

    id = "receiver-sign-in-refused"
    sentence = "The credentials are invalid, or the sign-in has ended."
    mend = "Export a new connection file here and upload it in the body worn system."


class OtherAccount(ReceiverProblem):
    """Raised when one body worn system asks for what belongs to another."""

    id = "receiver-other-account"
    sentence = "This belongs to another account."


class ContainerMissing(ReceiverProblem):
    """Raised for a container that was never made."""

    id = "receiver-container-missing"
    sentence = "There is no container {container}."


class ObjectMissing(ReceiverProblem):
    """Raised for an object that was never stored."""

    id = "receiver-object-missing"
    sentence = "There is no object {name}."


class ObjectExists(ReceiverProblem):
    """Raised when an object should only be stored if it is new, and it is not."""

    id = "receiver-object-exists"
    sentence = "There is an object {name} already."


class OverwriteRefused(ReceiverProblem):
    """Raised when other bytes are sent under a name that is taken: evidence is never overwritten."""

    id = "receiver-overwrite-refused"
    sentence = "{name} is stored already with different content. It was left as it is."
    mend = "Compare what the body worn system holds with what was received before either is used as evidence."


class DeleteRefused(ReceiverProblem):
    """Raised for every request to delete."""

    id = "receiver-delete-refused"
    sentence = "Nothing can be deleted here by a body worn system."


class RecordingClosed(ReceiverProblem):
    """Raised when something would change in a recording that is complete."""

    id = "receiver-recording-closed"
    sentence = "The recording {container} is complete; nothing is added to it or changed any more."


class UploadDiffers(ReceiverProblem):
    """Raised when what arrived does not have the digest that the sender told; nothing of it is kept."""

    id = "receiver-upload-differs"
    sentence = "{name} arrived damaged: its digest is not the one that the sender told."
    mend = "It is sent again. If it happens again, check the network between the two systems."
    retry = True


class UploadCut(ReceiverProblem):
    """Raised when a body ended before it was whole; nothing of it is kept."""

    id = "receiver-upload-cut"
    sentence = "The transfer of {name} was cut off."
    mend = "It is sent again by itself."
    retry = True


class UploadLengthMissing(ReceiverProblem):
    """Raised when neither a length nor chunks tell where a body ends."""

    id = "receiver-upload-length-missing"
    sentence = "{name} was sent without its length."


class UploadByReference(ReceiverProblem):
    """Raised for an upload that is to be copied or put together from other objects; only bytes are evidence."""

    id = "receiver-upload-by-reference"
    sentence = "{name} was to be made of other objects, which is not possible here."
    mend = "Send the object itself, in one piece."


class UploadTooLarge(ReceiverProblem):
    """Raised above the size that a stock Swift takes for one object."""

    id = "receiver-upload-too-large"
    sentence = "{name} is larger than the {limit_bytes} bytes that one object may have."
    mend = "Let the cameras record shorter clips."


class MetadataTooLarge(ReceiverProblem):
    """Raised when metadata would take more room than any recording needs."""

    id = "receiver-metadata-too-large"
    sentence = "The metadata of {name} is larger than the {limit_bytes} bytes allowed."


class ReceiverBusy(ReceiverProblem):
    """Raised when as many uploads are under way as this server takes at a time."""

    id = "receiver-busy"
    sentence = "The receiver is busy with {limit} uploads."
    mend = "Nothing needs to be done; it is sent again in a moment."
    retry = True


class ObjectTooLargeToShow(ReceiverProblem):
    """Noted for a text or track that no page can show whole."""

    id = "received-too-large-to-show"
    sentence = "{name} is too large to be shown here."
    mend = "Download it, and open it in another program."


class TrackUnreadable(ReceiverProblem):
    """Noted for a location track that is not written as one."""

    id = "received-track-unreadable"
    sentence = "{name} cannot be read as a location track."
    mend = "Download it and look at it; it is kept as it arrived."


class NoStill(ReceiverProblem):
    """Raised for a clip of which no picture can be shown: broken, without video, or too much for the limits."""

    id = "no-still"
    sentence = "No picture of {name} can be shown."
    mend = "Play it, or download it and open it in a video player."


class StillsMissing(ReceiverProblem):
    """Raised where the optional library that decodes pictures is not installed."""

    id = "stills-missing"
    sentence = "Pictures of clips cannot be made: the media library is not installed."
    mend = "Install it with: pip install 'bodyworn[media]'."


class StillsBusy(ReceiverProblem):
    """Raised when others have been waiting for their pictures too long."""

    id = "stills-busy"
    sentence = "Pictures of other clips are being made."
    mend = "Load the page again."
    retry = True


class ReceivedRecordingUnknown(ReceiverProblem):
    """Raised when a page asks for a recording, or a part of one, that was not received."""

    id = "unknown-received-recording"
    sentence = "This recording was not received here."
    mend = "Go back to the list of received recordings and choose one that is there."


class AddressMissing(ReceiverProblem):
    """Raised when a connection file is asked for and the host does not know under which address others reach it."""

    id = "receiver-address-missing"
    sentence = "A connection file needs a name for this site and an address of this server."
    mend = "Enter both and export the file again."


class RecordingWithoutUser(BodywornError):
    """Noted on a recording that nobody was assigned to; it is stored, but a destination needs a user."""

    id = "recording-without-user"
    sentence = "Nobody was assigned to camera {serial} when this was recorded."
    mend = "The recording is safe here. Assign a user to the camera, so that later recordings are sent."


# --- controller process ----------------------------------------------------------------------------------------------


class ControllerRunning(BodywornError):
    """Raised when a second controller process is started on one data folder."""

    id = "controller-running"
    sentence = "Another controller process is at work in {folder}."
    mend = "Nothing needs to be done; one is enough. Stop the other one first if you want to start it by hand."


class CameraReadFailed(BodywornError):
    """Raised when the camera's storage answers with a read error."""

    id = "camera-read-failed"
    sentence = "{name} cannot be read from the camera."
    mend = "Leave the camera docked; it is tried again. If it stays, dock it in another bay, then contact support."
    retry = True


class ClipDiffers(BodywornError):
    """Raised when a file on the camera is not what the camera's signed document says."""

    id = "clip-differs"
    sentence = "{name} is not what the camera says it recorded."
    mend = "The camera keeps it. Dock the camera again; if it stays, keep the camera and contact support."
    retry = True


class CopyUnproved(BodywornError):
    """Raised when a destination that can prove what it holds does not do so."""

    id = "copy-unproved"
    sentence = "The content destination does not prove that it holds {name}."
    mend = "Nothing is erased meanwhile; it is tried again. If it lasts, ask the destination's operator."
    retry = True


class SpoolDamaged(BodywornError):
    """Noted when a copy in the spool is not what was stored any more."""

    id = "spool-damaged"
    sentence = "The copy of {name} on this controller has changed since it was stored."
    mend = "Do not erase the camera. Check the controller's disk, then contact support."


class FilesystemNotAllowed(BodywornError):
    """Raised before a unit with a filesystem outside the allow-list is touched."""

    id = "filesystem-not-allowed"
    sentence = "The camera's storage is formatted as {filesystem}, which is not read here."
    mend = "Format the camera as its maker describes; exFAT and FAT32 are read."


class MountFailed(BodywornError):
    """Raised when a unit cannot be mounted or unmounted."""

    id = "mount-failed"
    sentence = "The camera's storage cannot be opened ({tool}: {reason})."
    mend = "Dock the camera again; if it stays, dock it in another bay, then contact support."
    retry = True


class CameraNotGenuine(BodywornError):
    """Raised when a camera does not prove to be what it says."""

    id = "camera-not-genuine"
    sentence = "Camera {serial} did not prove who it is."
    mend = "Nothing was read from it. Dock it again; if it stays, keep it apart and find out where it is from."


class CameraBelongsElsewhere(BodywornError):
    """Raised when a camera belongs to another body worn system."""

    id = "camera-belongs-elsewhere"
    sentence = "Camera {serial} belongs to another body worn system."
    mend = "Nothing was read from it. Remove it from its present system first, then dock it here again."


class CameraLocked(BodywornError):
    """Raised when a camera has locked itself."""

    id = "camera-locked"
    sentence = "Camera {serial} is locked, because it was not docked for over eight weeks or its system was restored."
    mend = "Unlock it with the master key passphrase."


class CameraRefused(BodywornError):
    """Raised when a camera does not do what it must be able to do."""

    id = "camera-refused"
    sentence = "Camera {serial} refused an order ({order})."
    mend = "Dock the camera again; if it stays, download a system report and contact support."
    retry = True


class RecordingVanished(BodywornError):
    """Noted when a recording that was seen on a camera is gone from it, and was never stored."""

    id = "recording-vanished"
    sentence = "This recording was seen on camera {serial} and is gone from it; it was not stored."
    mend = "Keep the camera as it is and contact support: what was deleted may still be recoverable."


class StorageLow(BodywornError):
    """Raised before a file is taken in for which the controller's storage has no room to spare."""

    id = "storage-low"
    sentence = "The controller has {free_gigabytes} GB of storage left, too little to take in more recordings."
    mend = "Cameras keep their recordings. Find out why the content destination takes none, or add storage."
    retry = True


class CameraOwnedElsewhere(BodywornError):
    """Noted when another controller has a recording in hand."""

    id = "camera-owned-elsewhere"
    sentence = "Another controller has begun to take this recording."
    mend = "Dock the camera at that controller, so that it can finish."


class ReceiverNotStarted(BodywornError):
    """Raised when the receiver of a headless transfer does not come up."""

    id = "receiver-not-started"
    sentence = "The receiver did not start: {reason}."
    mend = "Run: bodyworn serve, and see what it says."


class CameraInterrupted(CameraGone):
    """Raised when a camera came loose for a moment, or enumerated anew; it is asked again who it is."""

    id = "camera-interrupted"
    sentence = "The connection to the camera was interrupted for a moment."
    mend = "The transfer goes on by itself. If it happens often, clean the contacts or use another bay."
    retry = True


class UsbDeviceRefused(BodywornError):
    """Raised for a device that offers more than a disk, as a camera in its dock has no reason to."""

    id = "usb-device-refused"
    sentence = "The device in this bay ({name}) is more than a camera's storage: {kinds}."
    mend = "Nothing was read from it. Take it out and find out what it is."


class NeverADisk(BodywornError):
    """Raised when a device stands in a bay and shows no disk."""

    id = "usb-never-a-disk"
    sentence = "The device in this bay ({name}) does not show its storage."
    mend = "Dock it again. Some cameras must be switched to their docking mode, see their manual."
    retry = True


class EjectFailed(BodywornError):
    """Raised when a unit cannot be handed back to its camera."""

    id = "eject-failed"
    sentence = "The camera's storage cannot be handed back to the camera ({reason})."
    mend = "Dock the camera again; if it stays, dock it in another bay, then contact support."
    retry = True


class NoUdevEvents(BodywornError):
    """Noted on a controller with USB docks that does not hear of devices."""

    id = "no-udev-events"
    sentence = "This controller does not hear when cameras are docked."
    mend = "It needs the system's udev service; in a container, the host's network and its folder /run/udev as well."


class UnknownDock(BodywornError):
    """Raised when a dock or bay is named that does not exist."""

    id = "unknown-dock"
    sentence = "There is no dock or bay of this name."
    mend = "List them and use a name as it stands there."


class PlaceTaken(BodywornError):
    """Raised when a USB place is to belong to a second bay."""

    id = "place-taken"
    sentence = "{place} belongs to {bay} already."
    mend = "Take it from that bay first."


class SerialTaken(BodywornError):
    """Raised when a camera is to be added that has the serial number of one that was added before."""

    id = "serial-taken"
    sentence = "Another camera with the serial number {serial} belongs to this system already."
    mend = "One of the two may not be what it says. Keep both apart and ask their maker; neither was changed."


# --- disk cameras and drivers ----------------------------------------------------------------------------------------


class DiskWithoutIdentity(BodywornError):
    """Raised for a disk that shows nothing by which it could be known again."""

    id = "disk-without-identity"
    sentence = "The disk in this bay has no filesystem number, so it could not be told from any other."
    mend = "Nothing was read from it. Format it in the camera, or copy its recordings by hand."


class CameraFileImpossible(BodywornError):
    """Noted for a file that claims more bytes than its disk has, or than any destination takes."""

    id = "camera-file-impossible"
    sentence = "{name} claims {size_bytes} bytes, more than can be on this camera or than can be sent."
    mend = "It stays on the camera, and nothing is deleted from it. Copy it by hand, then have the camera examined."


class CameraFolderUnread(BodywornError):
    """Noted for a folder of a disk camera that could not be looked into."""

    id = "camera-folder-unread"
    sentence = "The folder {name} on the camera could not be read: {reason}."
    mend = "Nothing is deleted from this camera. Have its storage examined; there may be recordings in that folder."


class DiskNotAllStored(BodywornError):
    """Raised instead of deleting from a disk that holds something which is not stored yet."""

    id = "disk-not-all-stored"
    sentence = "Nothing was deleted from camera {serial}, because {name} is not stored yet."
    mend = "Leave the camera docked; what is new on it is taken first."
    retry = True


class DiskChanged(BodywornError):
    """Raised instead of deleting a file that is not what was stored."""

    id = "disk-changed"
    sentence = "{name} on camera {serial} is not what was stored, so it was not deleted."
    mend = "Leave the camera docked; what changed on it is taken first."
    retry = True


class DriverBroken(BodywornError):
    """Raised when a driver from another package fails in a way that it should not."""

    id = "driver-broken"
    sentence = "The camera driver {driver} failed: {reason}."
    mend = "Update the package that brings the driver, or remove it; the recordings are still on the camera."
    retry = True


class VolumeMissing(BodywornError):
    """Raised when a folder to be checked holds no camera volume."""

    id = "volume-missing"
    sentence = "{folder} holds neither a control unit nor a media unit of a camera."
    mend = "Give the folder with camera.json, the one with recordings, or one that holds both as control and media."


# --- evidence --------------------------------------------------------------------------------------------------------


class EvidenceFinding(BodywornError):
    """Parent of everything that a check of what is stored can find; never raised, noted."""

    id = "evidence-finding"
    sentence = "Something is not as it was stored."
    mend = "Keep the machine as it is and contact support."


class CopyChanged(EvidenceFinding):
    """Noted when an object's bytes are not what was stored."""

    id = "copy-changed"
    sentence = "{name} has changed on the disk since it was stored."
    mend = "The controller keeps the changed copy in quarantine and deletes nothing. Check the disk: it may be failing."


class CopyMissing(EvidenceFinding):
    """Noted when an object is gone."""

    id = "copy-missing"
    sentence = "{name} is not on the disk any more."
    mend = "Find out who or what removed it; this system did not."


class CopyUnreadable(EvidenceFinding):
    """Noted when an object cannot be read, or something else stands in its place."""

    id = "copy-unreadable"
    sentence = "{name} cannot be read from the disk."
    mend = "The controller keeps it in quarantine and deletes nothing. Check the disk: it may be failing."


class CopyWithoutPartner(EvidenceFinding):
    """Noted on a whole object that cannot be opened, because its key is damaged, and on a key of a damaged one."""

    id = "copy-without-partner"
    sentence = "{name} is of no use without what belongs to it, which is damaged."
    mend = "It is taken again together with what belongs to it."


class ObjectUnexpected(EvidenceFinding):
    """Noted when a store holds something that nothing in the database speaks of."""

    id = "object-unexpected"
    sentence = "{name} is on the disk, and nothing in the database speaks of it."
    mend = "A step that was cut off leaves this, and takes it up again. If it stays, do not delete it: contact support."


class SpoolAbsent(EvidenceFinding):
    """Noted when copies cannot be checked, because the disk they were stored on is not there."""

    id = "spool-absent"
    sentence = "The disk on which recordings were stored is not there, or cannot be read at all."
    mend = "Connect the disk again; checking goes on by itself."
    retry = True


class EventChanged(EvidenceFinding):
    """Noted when an event is not what was written, or not in its place."""

    id = "event-changed"
    sentence = "Event {sequence} of chain {chain} is not what was written."
    mend = "Somebody changed the database. Keep it as it is, and compare with an export that was made earlier."


class EventMissing(EvidenceFinding):
    """Noted when an event is gone from the middle of a chain."""

    id = "event-missing"
    sentence = "Event {sequence} of chain {chain} is missing."
    mend = "Somebody changed the database. Keep it as it is, and compare with an export that was made earlier."


class ChainTruncated(EvidenceFinding):
    """Noted when a chain ends before the event that its head or a checkpoint speaks of."""

    id = "chain-truncated"
    sentence = "Chain {chain} was cut off: its events from {sequence} on are missing."
    mend = "Somebody changed the database. Keep it as it is, and compare with an export that was made earlier."


class ChainRewritten(EvidenceFinding):
    """Noted when a chain is whole in itself, and another than the one that was signed."""

    id = "chain-rewritten"
    sentence = "Chain {chain} was written anew: event {sequence} is not the one that this controller signed."
    mend = "Somebody changed the database. Keep it as it is, and compare with an export that was made earlier."


class ChainGone(EvidenceFinding):
    """Noted when the chain of this machine itself is gone."""

    id = "chain-gone"
    sentence = "This controller's chain of events is gone."
    mend = "Somebody changed the database. Keep it as it is, and compare with an export that was made earlier."


class CheckpointRefused(EvidenceFinding):
    """Noted when a checkpoint is not signed as it must be."""

    id = "checkpoint-refused"
    sentence = "The checkpoint of chain {chain} at event {sequence} is not signed by a controller of this system."
    mend = "Somebody changed the database. Keep it as it is, and compare with an export that was made earlier."


class ManifestMissing(EvidenceFinding):
    """Noted when a stored recording has no manifest."""

    id = "manifest-missing"
    sentence = "Recording {container} has no signed manifest."
    mend = "Keep it, and contact support: what was stored cannot be proved by this controller's signature."


class ManifestUnsigned(EvidenceFinding):
    """Noted when a manifest is not signed as it must be, or is another recording's."""

    id = "manifest-unsigned"
    sentence = "The manifest of recording {container} is not signed by a controller of this system."
    mend = "Somebody changed the database. Compare the recording with the copy at the content destination."


class ManifestDiffers(EvidenceFinding):
    """Noted when what the database says of an object is not what was signed."""

    id = "manifest-differs"
    sentence = "What the database says of {name} is not what the manifest says."
    mend = "Somebody changed the database. The manifest is signed: believe it, and compare the recording's hashes."


class CameraWordRefused(EvidenceFinding):
    """Noted when a recording's document does not carry its camera's signature any more."""

    id = "camera-word-refused"
    sentence = "What the camera said of recording {container} does not carry the camera's signature."
    mend = "Somebody changed the database. Compare the recording with the copy at the content destination."


class CameraWordDiffers(EvidenceFinding):
    """Noted when what was stored is not what the camera signed."""

    id = "camera-word-differs"
    sentence = "What the database says of {name} is not what the camera signed."
    mend = "Somebody changed the database. The camera's document is signed: believe it, and compare the hashes."


class RecordingToTakeAgain(BodywornError):
    """Noted on a recording whose copy here is damaged while its camera still has the original."""

    id = "recording-to-take-again"
    sentence = "The controller's copy of this recording is damaged; camera {serial} still has the original."
    mend = "Dock the camera: the recording is then taken again."
    retry = True


class RecordingDamaged(BodywornError):
    """Noted on a recording whose copy here is damaged when no other one is proved."""

    id = "recording-damaged"
    sentence = "The controller's copy of this recording is damaged, and no other copy is proved."
    mend = "The damaged copy is kept in quarantine. Leave disk and camera as they are, and contact support."


class RecordingKeyLost(BodywornError):
    """Noted when the key of an encrypted clip is damaged here, and one of the two is at the destination already.

    Taken again, the clip would get another key, which does not open what the destination has.
    """

    id = "recording-key-lost"
    sentence = "The key of an encrypted clip of this recording is damaged, and the clip or its key was sent already."
    mend = "The camera still has the original, and keeps it. Do not erase the camera; contact support."


class ExportRefused(BodywornError):
    """Raised when a file is not an export of the chain of events."""

    id = "export-refused"
    sentence = "This file is not an export of the chain of events (line {line})."
    mend = "Export the events again, and verify that file."


class KeyOtherwise(BodywornError):
    """Raised when an export names another recovery key than whoever verifies it."""

    id = "export-of-other-system"
    sentence = "The export is of another system: its recovery key is {found}."
    mend = "Compare with the key that the Verification page of your system shows."
