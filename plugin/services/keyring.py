"""The private keys of this machine, sealed on disk. Who may use them for what is decided by whoever asks."""

from __future__ import annotations

import time
from pathlib import Path

from ..crypto.keys import SigningKey
from ..crypto.sealed import SealedBox
from . import durable


class Keyring:
    """Keys and secrets in a folder of mode 0700, sealed under the machine's key.

    The system key is on the first controller only; every controller has its own.
    """

    def __init__(self, folder: Path) -> None:
        """Open the folder, making it and the machine's key at first use."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        #: What seals the other secrets of this machine.
        self.box = SealedBox(folder / "machine.key")

    def seal(self, purpose: str, secret: bytes) -> bytes:
        """Seal a secret for the database; it opens on this machine and for this purpose only."""
        return self.box.seal(purpose, secret)

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Open what :meth:`seal` made; raises the crypto room's error when it was made elsewhere or changed."""
        return self.box.open(purpose, sealed)

    def store_signing_key(self, name: str, key: SigningKey) -> None:
        """Keep a signing key, durably, under a name such as ``system`` or ``controller``.

        An earlier key of that name, left by a founding that was cut off, is kept beside it.
        """
        path = self._folder / f"{name}.key"
        part = path.with_suffix(".part")
        durable.write(part, self.box.seal(f"signing-key:{name}", key.private_bytes()))
        if path.exists():
            path.rename(path.with_suffix(f".{time.time_ns()}.key"))
        part.rename(path)
        durable.sync(self._folder)

    def signing_key(self, name: str) -> SigningKey:
        """Give a signing key; raises FileNotFoundError when this machine does not hold it."""
        sealed = (self._folder / f"{name}.key").read_bytes()
        return SigningKey.from_private_bytes(self.box.open(f"signing-key:{name}", sealed))
