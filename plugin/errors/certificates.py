"""Certificates that cannot be used to serve with, and signing requests that cannot be made."""

from __future__ import annotations

from .base import BodywornError


class ServerCertificateRefused(BodywornError):
    """Base of everything that makes a certificate unusable here; nothing of it is kept."""

    id = "server-certificate-refused"
    sentence = "This certificate cannot be used."
    mend = "Create a signing request here, have it signed again and install what comes back."


class CertificateMissing(ServerCertificateRefused):
    """Raised when the form was sent without a file, or with an empty one."""

    id = "certificate-missing"
    sentence = "No file was chosen, or it is empty."
    mend = "Choose the file that the certificate authority gave you; its name ends in .crt."


class CertificateTooLarge(ServerCertificateRefused):
    """Raised before anything of an oversized file is read."""

    id = "certificate-too-large"
    sentence = "The file is larger than {limit_bytes} bytes."
    mend = "Choose a file with this system's certificate and those that signed it, and nothing else."


class CertificateHoldsPrivateKey(ServerCertificateRefused):
    """Raised for a file with a private key in it: keys are made here and never travel."""

    id = "certificate-holds-private-key"
    sentence = "The file contains a private key. Private keys are made on this machine and never leave it."
    mend = (
        "That key counts as known to others now: do not use it any more. "
        "Create a signing request here, and install the certificate that is made from it."
    )


class CertificateUnreadable(ServerCertificateRefused):
    """Raised when a file is no certificate at all, or a damaged one."""

    id = "certificate-unreadable"
    sentence = "The file is not a certificate that can be read: {reason}."
    mend = "Choose the file that the certificate authority gave you, unchanged, as PEM or DER."


class CertificateChainTooLong(ServerCertificateRefused):
    """Raised when a file holds more certificates than any chain has."""

    id = "certificate-chain-too-long"
    sentence = "The file holds {count} certificates; {limit} are allowed."
    mend = "Leave this system's certificate and those that signed it in the file, and nothing else."


class CertificateChainBroken(ServerCertificateRefused):
    """Raised when certificates in a file have nothing to do with this system's."""

    id = "certificate-chain-broken"
    sentence = "The file holds a certificate that is no part of the chain: {subject}."
    mend = "Leave this system's certificate and those that signed it in the file, and nothing else."


class CertificateOfOtherKey(ServerCertificateRefused):
    """Raised when no key here belongs to a certificate."""

    id = "certificate-of-other-key"
    sentence = "This certificate belongs to a key that is not on this machine: {subject}."
    mend = (
        "Create a signing request here and have that signed. If you did, it was made from a certificate that has been "
        "deleted, or on another machine."
    )


class CertificateOfAuthority(ServerCertificateRefused):
    """Raised when the certificate to serve with is one for signing others."""

    id = "certificate-of-authority"
    sentence = "This is the certificate of a certificate authority (CA), and no server may use such a one."
    mend = "Have the signing request signed as a server certificate."


class CertificateNotForServers(ServerCertificateRefused):
    """Raised when a certificate says that it is for something else."""

    id = "certificate-not-for-servers"
    sentence = "This certificate may not be used by a server: what it is for is limited to other purposes."
    mend = "Have the signing request signed as a server certificate (TLS web server authentication)."


class CertificateSignatureWeak(ServerCertificateRefused):
    """Raised for signatures that can be forged, and for those that browsers do not know."""

    id = "certificate-signature-weak"
    sentence = "{subject} is signed with {algorithm}, which browsers do not accept."
    mend = "Have the signing request signed with SHA-256 or better."


class CertificateKeyWeak(ServerCertificateRefused):
    """Raised for keys that are too short, or of a kind that browsers do not know."""

    id = "certificate-key-weak"
    sentence = "{subject} has a key that is too weak or of a kind that browsers do not accept: {key}."
    mend = "Use RSA of at least 2048 bits, P-256, P-384 or P-521."


class CertificateExpired(ServerCertificateRefused):
    """Raised after the end of a certificate's time, for itself or one of its chain."""

    id = "certificate-expired"
    sentence = "{subject} expired on {day}."
    mend = "Have the signing request signed again. If the date seems wrong, check this system's date and time."


class CertificateNotYetValid(ServerCertificateRefused):
    """Raised before the beginning of a certificate's time, for itself or one of its chain."""

    id = "certificate-not-yet-valid"
    sentence = "{subject} is valid from {moment} UTC on, which is not yet."
    mend = "Check this system's date and time, or wait until then."


class CertificateNameRefused(ServerCertificateRefused):
    """Raised when the name of a file cannot be the name of a certificate."""

    id = "certificate-name-refused"
    sentence = "The certificate gets its name from the file, and this name cannot be used: {name}."
    mend = (
        "Rename the file so that it has at most 64 letters, digits, points, hyphens and underscores, "
        "begins with a letter or digit, and ends in .crt, .cer, .pem or .der."
    )


class CertificateNameTaken(ServerCertificateRefused):
    """Raised when a name is to be given twice."""

    id = "certificate-name-taken"
    sentence = "There is a certificate named {name} here already."
    mend = "Choose another name; for a file, rename it."


class CertificateInstalledAlready(ServerCertificateRefused):
    """Raised when the same certificate is here under another name."""

    id = "certificate-installed-already"
    sentence = "This certificate is installed already, as {name}."
    mend = "Activate that one."


class CertificateStoreFull(ServerCertificateRefused):
    """Raised when there are more certificates than anybody can want."""

    id = "certificate-store-full"
    sentence = "There are {limit} certificates here, and more are not kept."
    mend = "Delete certificates that are not needed any more."


class UnknownCertificate(BodywornError):
    """Raised when a certificate does not exist (any more)."""

    id = "unknown-certificate"
    sentence = "This certificate is not known here, or was deleted."
    mend = "Choose one from the list."


class CertificateInUse(BodywornError):
    """Raised when the certificate that is served is to be deleted, or the one to fall back to."""

    id = "certificate-in-use"
    sentence = "{name} is in use, and what is in use is not deleted."
    mend = "Activate another certificate and confirm it first."


class CertificateNotServed(BodywornError):
    """Raised when the host could not serve with a certificate; it goes on with the former one."""

    id = "certificate-not-served"
    sentence = "The server could not use this certificate: {reason}. It goes on with the former one."
    mend = "Install the certificate again, or activate another one."


class CertificatesUnusable(BodywornError):
    """Raised when the folder of certificates cannot be read or written."""

    id = "certificates-unusable"
    sentence = "The certificates on this machine cannot be read or written: {reason}."
    mend = "Check that the disk is neither full nor read-only, and that the folder belongs to the service's user."
