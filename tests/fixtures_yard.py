"""A yard in a folder of its own, connected to its scripted destination."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bodyworn.crypto.keys import SigningKey
from bodyworn.hw.workshop import Workshop
from bodyworn.models import Database
from bodyworn.services import cameras, users
from bodyworn.services.keyring import Keyring
from fake_destination import FakeDestination
from rig_parts import ACTOR, add_bay, add_camera, found_system
from yard import Yard, adopt


@pytest.fixture
def make_yard(sqlite_database: Database, tmp_path: Path) -> Iterator[Callable[..., Yard]]:
    with FakeDestination() as fake:

        def make(*, etags: bool = True, **changes: object) -> Yard:
            fake.etags = etags
            keyring, key = Keyring(tmp_path / "keys"), SigningKey.generate()
            with sqlite_database.write() as session:
                found_system(session, keyring)
                camera = add_camera(session, add_bay(session), key)
                ada = users.create_user(session, name="Ada", actor=ACTOR)
                cameras.assign(session, camera.id, ada.id, actor=ACTOR)
            shop = Workshop.on(sqlite_database, keyring, tmp_path, reserve_bytes=0)
            yard = Yard(shop, fake, key, camera.id, camera.wanted_settings)
            adopt(yard, **changes)
            return yard

        yield make


@pytest.fixture
def yard(make_yard: Callable[..., Yard]) -> Yard:
    return make_yard()
