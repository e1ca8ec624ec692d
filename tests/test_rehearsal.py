"""The rehearsal: each way in which a destination can fail has its name before anything is bound to it."""

from __future__ import annotations

import pytest
from bodyworn import errors
from bodyworn.destination.addresses import parse_address
from bodyworn.destination.rehearsal import REHEARSAL_OBJECT, Rehearsal, RehearsalStep, RehearsalStepName, rehearse
from bodyworn.destination.secret import Secret
from bodyworn.destination.sign_in import check_storage_url
from certificates import self_signed
from fake_destination import (
    AUTH_PATH,
    FakeDestination,
    Turn,
    behave,
    body,
    closed_port,
    garbage,
    nothing,
    silence,
    status,
)

pytestmark = pytest.mark.feature("SET-7")


def step(rehearsal: Rehearsal, name: RehearsalStepName) -> RehearsalStep:
    return next(one for one in rehearsal.steps if one.name is name)


def test_a_good_destination_passes_every_step_and_can_verify() -> None:
    with FakeDestination(certificate=self_signed()) as fake:
        rehearsal = rehearse(fake.connection())
    assert rehearsal.ok
    assert [one.name for one in rehearsal.steps] == list(RehearsalStepName)
    assert not any(one.problem for one in rehearsal.steps)
    assert rehearsal.can_verify
    assert rehearsal.clock_difference_seconds is not None
    assert abs(rehearsal.clock_difference_seconds) < 2


def test_rehearsing_again_leaves_nothing_more_behind() -> None:
    with FakeDestination() as fake:
        assert rehearse(fake.connection()).can_verify
        assert rehearse(fake.connection()).can_verify
        assert list(fake.objects) == [f"System/{REHEARSAL_OBJECT}"]


def test_a_destination_without_etags_passes_but_cannot_verify() -> None:
    with FakeDestination(etags=False) as fake:
        rehearsal = rehearse(fake.connection())
    assert rehearsal.ok
    assert not rehearsal.can_verify
    assert step(rehearsal, RehearsalStepName.STORE).detail == "acknowledged"


def test_a_digest_that_only_head_tells_verifies_too() -> None:
    with FakeDestination() as fake:
        fake.script("PUT", REHEARSAL_OBJECT, lambda exchange: _store_silently(fake, exchange))
        assert rehearse(fake.connection()).can_verify


def _store_silently(fake: FakeDestination, exchange: object) -> None:
    fake.etags = False
    behave(exchange)  # type: ignore[arg-type]
    fake.etags = True


@pytest.mark.parametrize(
    ("turn", "failed", "problem"),
    [
        (nothing, RehearsalStepName.CONNECTION, errors.DestinationHungUp),
        (silence, RehearsalStepName.CONNECTION, errors.DestinationTooSlow),
        (status(401), RehearsalStepName.SIGN_IN, errors.AuthorizationFailed),
        (status(302), RehearsalStepName.SIGN_IN, errors.RedirectRefused),
        (status(404), RehearsalStepName.SIGN_IN, errors.NonsenseAnswer),
        (garbage(b"hello"), RehearsalStepName.SIGN_IN, errors.NonsenseAnswer),
        (
            body(200, b"", **{"X-Auth-Token": "t", "X-Storage-Url": "http://169.254.169.254/v1"}),
            RehearsalStepName.STORAGE_ADDRESS,
            errors.StorageUrlRefused,
        ),
    ],
    ids=["hung-up", "silent", "key", "redirect", "no-door", "no-http", "storage"],
)
def test_each_failure_before_the_storage_is_named(
    turn: Turn, failed: RehearsalStepName, problem: type[errors.BodywornError]
) -> None:
    with FakeDestination() as fake:
        fake.script("GET", AUTH_PATH, turn)
        rehearsal = rehearse(fake.connection(), timeout_seconds=0.5)
    assert not rehearsal.ok
    last = rehearsal.steps[-1]
    assert (last.name, last.ok, type(last.problem)) == (failed, False, problem)
    assert all(one.ok for one in rehearsal.steps[:-1])


def test_another_certificate_fails_the_certificate_step() -> None:
    with FakeDestination(certificate=self_signed()) as fake:
        rehearsal = rehearse(fake.connection(anchors_pem=(self_signed().pem,)))
    last = rehearsal.steps[-1]
    assert (last.name, type(last.problem)) == (RehearsalStepName.CERTIFICATE, errors.CertificateRefused)


@pytest.mark.parametrize(
    ("turn", "problem"),
    [
        (status(403), errors.Forbidden),
        (status(507), errors.DestinationFull),
        (status(201, Etag="0" * 32), errors.EtagDiffers),
    ],
)
def test_a_destination_that_cannot_store_is_not_bound_to(turn: Turn, problem: type[errors.BodywornError]) -> None:
    with FakeDestination() as fake:
        fake.script("PUT", REHEARSAL_OBJECT, turn)
        rehearsal = rehearse(fake.connection())
    assert not rehearsal.ok
    assert type(step(rehearsal, RehearsalStepName.STORE).problem) is problem


def test_a_destination_that_takes_recordings_only_is_accepted_with_a_warning() -> None:
    with FakeDestination() as fake:
        fake.script("PUT", REHEARSAL_OBJECT, status(400))
        rehearsal = rehearse(fake.connection())
    assert rehearsal.ok
    assert not rehearsal.can_verify
    assert isinstance(step(rehearsal, RehearsalStepName.STORE).problem, errors.Rejected)


def test_one_dead_address_of_several_is_a_warning_with_its_place() -> None:
    with FakeDestination() as fake, closed_port() as port:
        uris = (f"http://127.0.0.1:{port}/auth", f"{fake.origin}{AUTH_PATH}")
        rehearsal = rehearse(fake.connection(authentication_uris=uris))
    assert rehearsal.ok
    warnings = [one for one in rehearsal.steps if one.problem]
    assert [(one.name, one.detail) for one in warnings] == [(RehearsalStepName.CONNECTION, f"127.0.0.1:{port}")]


def test_every_dead_address_is_listed() -> None:
    with FakeDestination() as fake, closed_port() as one, closed_port() as other:
        uris = tuple(f"http://127.0.0.1:{port}/auth" for port in (one, other))
        rehearsal = rehearse(fake.connection(authentication_uris=uris))
    assert [failed.detail for failed in rehearsal.steps] == [f"127.0.0.1:{one}", f"127.0.0.1:{other}"]
    assert not rehearsal.ok


def test_a_clock_that_differs_is_a_warning_with_the_difference() -> None:
    with FakeDestination(clock_ahead_seconds=60) as fake:
        rehearsal = rehearse(fake.connection())
    assert rehearsal.ok
    assert rehearsal.clock_difference_seconds == pytest.approx(60, abs=2)
    assert isinstance(step(rehearsal, RehearsalStepName.CLOCK).problem, errors.ClockDiffers)


def test_capabilities_are_part_of_it() -> None:
    with FakeDestination() as fake:
        fake.script("GET", "Capabilities.json", body(200, b'{"Store": {"StoreBookmarks": true}}'))
        assert rehearse(fake.connection()).capabilities.bookmarks


def test_storage_elsewhere_needs_an_administrator_who_confirms_it() -> None:
    certificate = self_signed()
    with FakeDestination(certificate=certificate) as storage, FakeDestination(certificate=certificate) as door:
        elsewhere = f"localhost:{storage.port}"
        door.storage_url = f"https://{elsewhere}/v1.0/abc"
        connection = door.connection()
        unconfirmed = rehearse(connection).steps[-1].problem
        assert isinstance(unconfirmed, errors.StorageHostUnconfirmed)
        assert unconfirmed.values["storage_host"] == elsewhere
        # confirmed, yet its certificate names another host: the pinned certificates still have to prove it
        confirmed = rehearse(connection, confirmed_storage_hosts={elsewhere})
        assert isinstance(step(confirmed, RehearsalStepName.STORE).problem, errors.CertificateRefused)
        assert not storage.requests


def test_a_wrong_key_shows_no_key() -> None:
    with FakeDestination() as fake:
        assert "wrong-canary" not in repr(rehearse(fake.connection(api_key=Secret("wrong-canary"))))


# --- the storage address ---------------------------------------------------------------------------------------------

DOOR = "https://cd.example:8080/auth/v1.0"


@pytest.mark.parametrize(
    "url",
    [
        "https://cd.example:8080/v1.0/abc",
        "https://cd.example/v1/AUTH_x",
        "https://CD.example:8443/",
        "https://cd.example",
    ],
)
def test_storage_at_the_same_host_is_used_as_given(url: str) -> None:
    storage = check_storage_url(url, parse_address(DOOR), ())
    assert url.lower().startswith(f"https://{storage.host}")
    assert url.endswith(storage.path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/v1.0/abc",
        "v1.0/abc",
        "//cd.example:8080/v1",
        "http://cd.example:8080/v1",
        "HTTP://cd.example:8080/v1",
        "ftp://cd.example/v1",
        "file:///etc/passwd",
        "gopher://cd.example/v1",
        "javascript:alert(1)",
        "data:text/plain,x",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00:ec2::254]/latest",
        "https://127.0.0.1:8080/v1",
        "https://[::1]:8080/v1",
        "https://localhost:8080/v1",
        "https://0x7f000001/v1",
        "https://2130706433/v1",
        "https://10.0.0.1:8080/v1",
        "https://evil.example:8080/v1",
        "https://cd.example.evil.example/v1",
        "https://evilcd.example/v1",
        "https://cd.example./v1",
        "https://cd.example@evil.example/v1",
        "https://cd.example:8080@evil.example/v1",
        "https://user@cd.example:8080/v1",
        "https://:@cd.example:8080/v1",
        "https://cd.example:8080\\@evil.example/v1",
        "https://evil.example\\.cd.example/v1",
        "https://cd.example:8080/v1?x=1",
        "https://cd.example:8080/v1#x",
        "https://cd.example:8080/../v1",
        "https://cd.example:8080/v1/%2e%2E/x",
        "https://cd.example:8080/v1 /x",
        "https://cd.example:8080/v1\r\nX: y",
        "https://cd.example:8080/v1\x00",
        "https://cd.example:0/v1",
        "https://cd.example:65536/v1",
        "https://cd.example:+80/v1",
        "https://cd.example:8080/ü",
        "https://cd。example:8080/v1",
        "https:///v1",
        "https://",
        "https://cd.example:8080/" + "x" * 2048,
    ],
)
def test_storage_anywhere_else_is_refused(url: str) -> None:
    with pytest.raises(errors.StorageUrlRefused):
        check_storage_url(url, parse_address(DOOR), ())


def test_without_tls_the_port_has_to_be_the_same_and_nothing_can_be_confirmed() -> None:
    door = parse_address("http://127.0.0.1:8080/auth")
    assert check_storage_url("http://127.0.0.1:8080/v1", door, ()).path == "/v1"
    for url in ("http://127.0.0.1:22/v1", "http://10.0.0.1:8080/v1"):
        with pytest.raises(errors.StorageUrlRefused) as caught:
            check_storage_url(url, door, {"10.0.0.1:8080", "127.0.0.1:22"})
        assert type(caught.value) is errors.StorageUrlRefused


def test_a_confirmed_host_is_confirmed_with_its_port() -> None:
    door, confirmed = parse_address(DOOR), {"store.example:443"}
    assert check_storage_url("https://store.example/v1", door, confirmed).place == "store.example:443"
    with pytest.raises(errors.StorageHostUnconfirmed):
        check_storage_url("https://store.example:8443/v1", door, confirmed)
