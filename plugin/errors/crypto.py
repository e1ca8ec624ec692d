"""Keys, envelopes, master keys, encrypted content."""

from __future__ import annotations

from .base import BodywornError


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


class MasterKeyChanged(BodywornError):
    """Raised when the master key was written anew while somebody worked on it."""

    id = "master-key-changed"
    sentence = "The master key was changed by somebody else in the meantime."
    mend = "Try again, with the passphrase that holds now."
    retry = True


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
