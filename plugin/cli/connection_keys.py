"""Turn encryption on in a connection file, for transfers that ask for it; real files come with it."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

_RSA_BITS = 3072


def with_encryption(connection_file: bytes, private_key_out: Path | None) -> bytes:
    """Give the file with encryption asked for; a missing key pair is made, its private part written to that path."""
    members = json.loads(connection_file)
    members["WantEncryption"] = True
    if not members.get("PublicKey"):
        if private_key_out is None:
            raise click.UsageError("The connection file has no PublicKey; give --private-key-out to have one made.")
        members |= {"PublicKey": _new_key(private_key_out), "PublicKeyId": "transfer"}
    return json.dumps(members).encode()


def _new_key(private_key_out: Path) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(private_key_out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(public).decode()
