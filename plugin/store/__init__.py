"""The store room: evidence on disk, durably, for the spool and for the receiver alike.

A store is ``root/<container>/<object>``. What is visible under an object's name is whole, was read back from the device
and is never overwritten. Everything whose name begins with a dot is the room's own: ``.part`` files of attempts, the
folder ``.metadata`` in each container and the folder ``.quarantine`` in the root. Who may store or remove something,
and when, is for the rooms above.
"""

from __future__ import annotations

from .objects import Hook, ObjectStat, Store
from .part import Digests, Verifier
from .pipeline import Buffer, ahead

__all__ = ["Buffer", "Digests", "Hook", "ObjectStat", "Store", "Verifier", "ahead"]
