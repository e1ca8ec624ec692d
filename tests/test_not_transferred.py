"""Pages of what was refused: the reason, another attempt, downloads also of what is encrypted, all in the custody."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import seed
from bodyworn.crypto.content import ContentEncryption
from bodyworn.crypto.master_key import KdfCost, MasterSecret
from bodyworn.errors import ContentDamaged
from bodyworn.models import Clip, ClipKind, Copy, CopyState, Event, Place, Recording, RecordingState, System, new_id
from bodyworn.services.history import _ACTIONS
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hosting import SAME_ORIGIN, host_app, signed_in, token_of
from sqlalchemy import select

PASSPHRASE = "correct horse battery staple"
PLAINTEXT = bytes(range(256)) * 12_000  # three blocks
CHEAP = KdfCost(memory_kib=64 * 1024, iterations=1, lanes=1)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[SimpleNamespace]:
    app = host_app(tmp_path_factory.mktemp("site"))
    runtime = app.extensions["bodyworn"]
    ids = seed.seed(runtime.database)
    opened = SimpleNamespace(app=app, database=runtime.database, spool=runtime.spool(), ids=ids)
    opened.operator, opened.viewer = signed_in(app, "operator"), signed_in(app, "viewer")
    opened.administrator = signed_in(app, "administrator")
    opened.clip_id = encrypt_one(opened)
    yield opened
    opened.database.close()


def encrypt_one(site: SimpleNamespace) -> str:
    """Let the refused recording have one encrypted clip with its key, as the controller stores them."""
    secret = MasterSecret.generate()
    recovery = secret.recovery_encryption_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    public = rsa.generate_private_key(65537, 2048).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with site.database.write() as session:
        system = session.scalars(select(System)).one()
        system.master_key_file = secret.wrap(PASSPHRASE, system_id=system.id, created=system.created_at, cost=CHEAP)
        recording = session.get_one(Recording, site.ids.refused)
        clip = recording.clips[0]
        encryption = ContentEncryption.new(clip.name, pem, "key 1", recovery)
        stored = site.spool.write(recording.container_name, clip.name, encryption.encrypt([PLAINTEXT]))
        site.spool.write_bytes(recording.container_name, "one.key", encryption.key_object(stored.sha256))
        clip.encrypted, clip.sha256 = True, hashlib.sha256(PLAINTEXT).hexdigest()
        key = Clip(
            id=new_id(),
            kind=ClipKind.KEY,
            position=9,
            name="one.key",
            unlocks_id=clip.id,
            size_bytes=1,
            wire_metadata={},
            copies=[held(Place.SPOOL)],
        )
        recording.clips.append(key)
        return clip.id


def held(place: Place) -> Copy:
    return Copy(id=new_id(), place=place, state=CopyState.VERIFIED, failure_domain="disk", done_bytes=0)


def post(browser, path: str, **form: str):
    return browser.post(path, data={"csrf_token": token_of(browser), **form}, headers=SAME_ORIGIN)


def custody(site: SimpleNamespace) -> list[tuple[str, str, str]]:
    with site.database.read() as session:
        found = session.scalars(select(Event).where(Event.object_id == site.ids.refused).order_by(Event.sequence))
        return [(event.action, event.actor, event.result) for event in found]


def open_path(site: SimpleNamespace) -> str:
    return f"/bodyworn/recordings/{site.ids.refused}/clips/{site.clip_id}/open"


@pytest.mark.feature("REC-3")
def test_an_encrypted_clip_is_downloaded_as_it_was_recorded_with_the_passphrase(site):
    with post(site.operator, open_path(site), passphrase=PASSPHRASE) as answer:
        assert answer.status_code == 200
        assert answer.data == PLAINTEXT
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Disposition"].startswith("attachment")
    assert custody(site)[-1] == ("clip.opened", custody(site)[-1][1], "done")


def test_a_wrong_passphrase_opens_nothing_and_is_written_down(site):
    answer = post(site.operator, open_path(site), passphrase="guess " + PASSPHRASE)
    assert answer.status_code == 422
    assert "The passphrase is wrong" in answer.text
    assert PASSPHRASE not in answer.text
    assert (custody(site)[-1][0], custody(site)[-1][2]) == ("clip.open-refused", "wrong-passphrase")


def test_nobody_opens_a_clip_without_the_right_or_of_another_recording(site):
    assert post(site.viewer, open_path(site), passphrase=PASSPHRASE).status_code == 403
    other = open_path(site).replace(site.ids.refused, site.ids.delivered)
    assert post(site.operator, other, passphrase=PASSPHRASE).status_code == 404
    assert site.operator.get(open_path(site)).status_code == 405


def test_content_that_was_changed_here_never_arrives_whole(site):
    with site.database.read() as session:
        clip = session.get_one(Clip, site.clip_id)
        path = site.spool.root / clip.recording.container_name / clip.spool_name
    with path.open("r+b") as file:
        file.seek(100)
        byte = file.read(1)
        file.seek(100)
        file.write(bytes([byte[0] ^ 1]))
    answer = post(site.operator, open_path(site), passphrase=PASSPHRASE)
    try:
        with pytest.raises(ContentDamaged):
            answer.get_data()
    finally:
        answer.close()
        with path.open("r+b") as file:
            file.seek(100)
            file.write(byte)


def test_each_download_is_written_down_a_part_as_well(site):
    path = open_path(site).removesuffix("/open")
    before = [one[0] for one in custody(site)].count("clip.downloaded")
    for headers, status in (({}, 200), ({"Range": "bytes=1-"}, 206)):
        with site.operator.get(path, headers=headers) as answer:
            assert answer.status_code == status
    assert [one[0] for one in custody(site)].count("clip.downloaded") == before + 2


@pytest.mark.feature("REC-3")
def test_the_list_shows_what_was_not_transferred_and_has_it_sent_again(site):
    page = site.operator.get("/bodyworn/recordings?show=refused")
    assert site.ids.refused in page.text
    assert site.ids.delivered not in page.text
    answer = post(site.operator, "/bodyworn/not-transferred/try-again")
    assert answer.status_code == 303
    with site.database.read() as session:
        assert session.get_one(Recording, site.ids.refused).state is RecordingState.STORED
    assert custody(site)[-1][0] == "recording.tried-again"
    with site.database.write() as session:
        session.get_one(Recording, site.ids.refused).state = RecordingState.REFUSED


def test_one_recording_is_sent_again_from_its_page(site):
    page = site.operator.get(f"/bodyworn/recordings/{site.ids.refused}").text
    assert "Recording not transferred" in page
    assert "Try again" in page
    assert post(site.operator, f"/bodyworn/recordings/{site.ids.refused}/try-again").status_code == 303
    with site.database.write() as session:
        assert session.get_one(Recording, site.ids.refused).state is RecordingState.STORED
        session.get_one(Recording, site.ids.refused).state = RecordingState.REFUSED
    assert post(site.operator, "/bodyworn/recordings/nobody/try-again").status_code == 404


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"megabits": "20,5", "from_time": "07:00", "until_time": "19:00"}, 303),
        ({"megabits": "20"}, 303),
        ({"megabits": ""}, 303),
        ({"megabits": "0"}, 422),
        ({"megabits": "nan"}, 422),
        ({"megabits": "1e400"}, 422),
        ({"megabits": "5", "from_time": "07:00"}, 422),
        ({"megabits": "5", "from_time": "07:00", "until_time": "25:00"}, 422),
        ({"megabits": "5", "from_time": "07:00", "until_time": "07:00"}, 422),
    ],
)
def test_the_limit_of_uploads_is_set_on_the_destinations_page(site, form, status):
    assert post(site.administrator, "/bodyworn/destination/limit", **form).status_code == status


def test_the_destinations_page_has_what_administrators_do_there(site):
    post(site.administrator, "/bodyworn/destination/limit", megabits="20.5", from_time="07:00", until_time="19:00")
    page = site.administrator.get("/bodyworn/destination").text
    assert 'value="20.5"' in page
    assert 'value="19:00"' in page
    assert "Push users and cameras again" in page
    assert post(site.administrator, "/bodyworn/destination/push").status_code == 303
    assert post(site.administrator, "/bodyworn/destination/try-again").status_code == 303
    assert "Push users and cameras again" not in site.viewer.get("/bodyworn/destination").text


def test_what_is_written_down_here_has_its_sentence(site):
    assert {action for action, _, _ in custody(site)} <= set(_ACTIONS)
