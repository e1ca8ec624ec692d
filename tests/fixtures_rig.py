"""Fixtures of a running station; a test module that wants them says ``pytest_plugins = ["fixtures_rig"]``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from bodyworn.migrations.run import upgrade
from bodyworn.models import Database
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from running_station import Station, found_station


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the tables once; every depot begins with a copy."""
    path = tmp_path_factory.mktemp("tables") / "bodyworn.db"
    database = Database.at(f"sqlite:///{path}")
    upgrade(database.engine)
    database.close()
    return path


@pytest.fixture(scope="session")
def key_pair() -> tuple[bytes, bytes]:
    """Make the destination's key pair: private and public PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def make_station(tables: Path, tmp_path: Path) -> Iterator[Callable[..., Station]]:
    """Found systems, each in a folder of its own, with a destination beside that is not connected yet."""
    pytest.importorskip("av", reason="simulated cameras record with PyAV (the extra `media`)")
    with ExitStack() as stack:
        yield lambda name="station", url="": found_station(stack, tables, tmp_path / name, url)


@pytest.fixture
def station(make_station: Callable[..., Station]) -> Station:
    """Found a system whose recordings go to the scripted destination."""
    made = make_station()
    made.connect()
    return made
