"""Evidence on disk."""

from __future__ import annotations

from .base import BodywornError


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
