"""Stills of clips: made by a child with limits, kept sealed, and never a reason for a page to fail."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from bodyworn.crypto.sealed import SealedBox
from bodyworn.errors import NoStill, StillsMissing
from bodyworn.media import still, worker
from bodyworn.media.still import make_still
from bodyworn.services import received_recordings, stills
from bodyworn.services.playback import StoredContent
from bodyworn.services.stills import Stills, StillState
from delivery import SentRecording, real_clip, send
from receiver_site import ReceiverSite, running

JPEG = b"\xff\xd8\xff"
DIGEST = "ab" * 32


@pytest.fixture(autouse=True)
def _library() -> None:
    pytest.importorskip("av", reason="PyAV is not installed")


def made(name: str, data: bytes) -> bytes:
    return make_still(name, len(data), lambda first, size: [data[first : first + size]])


# --- the child -------------------------------------------------------------------------------------------------------


@pytest.mark.feature("REC-8")
@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_a_still_is_a_small_jpeg(suffix: str) -> None:
    jpeg = made(f"clip.{suffix}", real_clip(suffix))
    assert jpeg.startswith(JPEG)
    assert 1000 < len(jpeg) < 50_000


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no clip",
        os.urandom(100_000),
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\x1aE\xdf\xa3" + b"\xff" * 1000,
    ],
)
@pytest.mark.parametrize("name", ["clip.mkv", "clip.mp4"])
def test_what_is_no_clip_gives_no_still(name: str, data: bytes) -> None:
    with pytest.raises(NoStill):
        made(name, data)


def test_a_clip_that_is_cut_off_gives_its_beginning_or_nothing() -> None:
    assert made("clip.mkv", real_clip("mkv")[:200_000]).startswith(JPEG)
    with pytest.raises(NoStill):
        made("clip.mp4", real_clip("mp4")[:2000])


def test_only_a_part_of_a_clip_is_read() -> None:
    data, asked = real_clip("mkv") + bytes(50_000_000), []

    def read(first: int, size: int) -> list[bytes]:
        asked.append(size)
        return [data[first : first + size]]

    make_still("clip.mkv", len(data), read)
    assert sum(asked) < 3_000_000


def test_a_child_that_takes_too_long_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(still, "_WORKER", slow)
    began = time.monotonic()
    with pytest.raises(NoStill):
        make_still("clip.mkv", 10, lambda first, size: [b""], deadline_seconds=0.3)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "said",
    [
        "read 0 999999999999",
        "read -1 5",
        "read 0",
        "read x y",
        "{}",
        '{"jpeg": "!"}',
        '{"jpeg": "aGVsbG8="}',
        "",
        "[1]",
        "x" * 2_000_000,
    ],
)
def test_a_child_that_was_taken_over_gets_nothing_through(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str
) -> None:
    taken = tmp_path / "taken.py"
    taken.write_text(f"print({said!r}, flush=True)")
    monkeypatch.setattr(still, "_WORKER", taken)
    given: list[int] = []
    with pytest.raises(NoStill):
        make_still("clip.mkv", 10, lambda first, size: given.append(size) or [b"x" * size])
    assert given == []


def test_a_child_cannot_read_without_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    greedy = tmp_path / "greedy.py"
    greedy.write_text(
        "import sys\nwhile True:\n print('read 0 1000000', flush=True)\n sys.stdin.buffer.read(1000000)\n"
    )
    monkeypatch.setattr(still, "_WORKER", greedy)
    given: list[int] = []
    with pytest.raises(NoStill):
        make_still("clip.mkv", 1_000_000, lambda first, size: given.append(size) or [bytes(size)])
    assert sum(given) <= still._MOST_READ_BYTES


def test_the_child_has_limits_and_none_of_this_process() -> None:
    program = (
        "import resource, runpy, os, sys; worker = runpy.run_path(sys.argv[1]); worker['limit']();"
        "print([resource.getrlimit(what)[1] for what in "
        "(resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, worker.__file__], capture_output=True, text=True, check=True, env={}
    )
    assert done.stdout.strip() == f"[{worker.MEMORY_BYTES}, {worker.CPU_SECONDS}, 0, 0]"


def test_without_the_library_it_is_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone = tmp_path / "alone.py"
    alone.write_text(
        f"import runpy, sys\nsys.modules['av'] = None\nsys.argv[0] = 'still'\n"
        f"runpy.run_path({worker.__file__!r}, run_name='__main__')\n"
    )
    monkeypatch.setattr(still, "_WORKER", alone)
    with pytest.raises(StillsMissing):
        made("clip.mkv", real_clip("mkv"))


# --- keeping ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def keeping(tmp_path: Path) -> Stills:
    return Stills(tmp_path / "cache", SealedBox(tmp_path / "machine.key"))


def content_of(folder: Path, data: bytes) -> StoredContent:
    path = folder / "content"
    path.write_bytes(data)
    return StoredContent(path.open("rb"))


def test_a_still_is_made_once_and_kept_sealed(keeping: Stills, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = content_of(tmp_path, real_clip("mkv"))
    assert keeping.state(DIGEST) is StillState.UNKNOWN
    jpeg = keeping.still(DIGEST, "clip.mkv", content)
    content.close()
    assert keeping.state(DIGEST) is StillState.KEPT
    monkeypatch.setattr(stills, "make_still", None)
    assert keeping.still(DIGEST, "clip.mkv", content) == jpeg
    (kept,) = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert JPEG not in kept.read_bytes()
    kept.write_bytes(b"damaged")
    assert keeping.state(DIGEST) is StillState.UNKNOWN


def test_that_there_is_none_is_remembered_for_a_day(
    keeping: Stills, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = content_of(tmp_path, b"broken")
    for _ in range(2):
        with pytest.raises(NoStill):
            keeping.still(DIGEST, "clip.mkv", content)
        monkeypatch.setattr(stills, "make_still", None)
    content.close()
    assert keeping.state(DIGEST) is StillState.IMPOSSIBLE
    (kept,) = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    os.utime(kept, (0, time.time() - 25 * 3600))
    assert keeping.state(DIGEST) is StillState.UNKNOWN


def test_the_oldest_are_forgotten(keeping: Stills, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stills, "_MOST_IN_FOLDER", 3)
    monkeypatch.setattr(stills, "make_still", lambda *_: JPEG)
    content = content_of(tmp_path, b"clip")
    digests = [f"ab{number:062x}" for number in range(5)]
    for digest in digests:
        keeping.still(digest, "clip.mkv", content)
        time.sleep(0.01)
    content.close()
    assert [keeping.state(digest) for digest in digests] == [StillState.UNKNOWN] * 2 + [StillState.KEPT] * 3


def test_several_who_want_the_same_still_make_it_once(
    keeping: Stills, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def slowly(name: str, *_: object) -> bytes:
        calls.append(name)
        time.sleep(0.2)
        return JPEG

    monkeypatch.setattr(stills, "make_still", slowly)
    content = content_of(tmp_path, b"clip")
    threads = [threading.Thread(target=keeping.still, args=(DIGEST, "clip.mkv", content)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    content.close()
    assert calls == ["clip.mkv"]


# --- the page --------------------------------------------------------------------------------------------------------

GOOD, BROKEN, SOUND = "20240301_101500_7CF7.mkv", "20240301_101510_7CF7.mkv", "20240301_101520_7CF7.wav"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceiverSite]:
    with running(tmp_path_factory.mktemp("receiver")) as site:
        yield site


def address_of(site: ReceiverSite, serial: str, *, encrypt: bool) -> str:
    """Send a recording with a good clip, a broken one and a sound; gives the address of its page."""
    clips = {GOOD: (real_clip("mkv"), 0, 6), BROKEN: (b"broken" + serial.encode(), 10, 6), SOUND: (b"sound", 20, 6)}
    connection = site.connection(want_encryption=encrypt)
    with site.client(connection) as client:
        send(client, connection, SentRecording(serial, clips))
    with site.database.read() as session:
        (row,) = received_recordings.list_recordings(session, serial).rows
    return f"{site.url}/bodyworn/received/{row.id}"


def get(address: str) -> tuple[int, str, bytes]:
    try:
        with urllib.request.urlopen(address, timeout=30) as answered:
            return answered.status, answered.headers["Content-Type"], answered.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read()


@pytest.mark.feature("REC-8")
@pytest.mark.parametrize("encrypt", [False, True])
def test_a_page_shows_stills_and_says_where_there_is_none(site: ReceiverSite, encrypt: bool) -> None:
    address = address_of(site, f"STILL{encrypt:d}", encrypt=encrypt)
    assert get(address)[2].decode().count("data-bw-still=") == 2
    status, kind, jpeg = get(f"{address}/{GOOD}/still")
    assert (status, kind, jpeg[:3]) == (200, "image/jpeg", JPEG)
    assert get(f"{address}/{BROKEN}/still")[0] == 404
    assert get(f"{address}/{SOUND}/still")[0] == 404
    assert get(f"{address}/absent.mkv/still")[0] == 404
    page = get(address)[2].decode()
    assert page.count("data-bw-still=") == 1
    assert page.count('bw-still--none">No picture<') == 1
    for path in (site.runtime.data_dir / "cache").rglob("*"):
        assert not path.is_file() or JPEG not in path.read_bytes()


@pytest.mark.feature("REC-8")
def test_the_list_shows_a_still_of_each_recording(site: ReceiverSite) -> None:
    address = address_of(site, "LISTED", encrypt=False)
    page = get(f"{site.url}/bodyworn/received?q=LISTED")[2].decode()
    assert page.count("data-bw-still=") == 1
    assert f'src="{address.removeprefix(site.url)}/{GOOD}/still"' in page


def test_a_page_without_the_library_says_so_and_plays(site: ReceiverSite, monkeypatch: pytest.MonkeyPatch) -> None:
    address = address_of(site, "NOLIBRARY", encrypt=False)
    monkeypatch.setattr("bodyworn.routes.received.can_make_stills", lambda: False)
    page = get(address)[2].decode()
    assert "Pictures of clips need the media library" in page
    assert page.count("<video") == 2


def test_when_too_many_wait_one_is_told_to_come_again(site: ReceiverSite, monkeypatch: pytest.MonkeyPatch) -> None:
    address = address_of(site, "BUSY0001", encrypt=True)
    monkeypatch.setattr(stills, "_WAIT_SECONDS", 0.05)
    with site.runtime.stills._turn():
        assert get(f"{address}/{GOOD}/still")[0] == 503
    assert get(f"{address}/{GOOD}/still")[0] == 200
