"""A proxy before the destination: everything goes through it within TLS, its failures have names, nothing is lost."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bodyworn import errors
from bodyworn.destination.client import Client
from bodyworn.destination.connection_file import export
from bodyworn.destination.proxy import DEFAULT_PORT, Proxy, parse_proxy
from bodyworn.destination.rehearsal import RehearsalStepName, rehearse
from bodyworn.destination.secret import Secret
from bodyworn.models import DestinationState, Event
from bodyworn.services import connecting, destinations
from bodyworn.services.connecting import Connected, Refused
from certificates import self_signed
from fake_destination import API_KEY, AUTH_PATH, FakeDestination, body, closed_port
from proxies import (
    PASSWORD,
    USER,
    Behaviour,
    StrangeProxy,
    TinyProxy,
    endless,
    leads_to,
    says,
    silent,
    strange_proxy,
)
from rig_parts import ACTOR
from sqlalchemy import select
from yard import Yard

pytest_plugins = ["fixtures_database", "fixtures_yard"]
pytestmark = pytest.mark.feature("DST-4")

NOWHERE = Proxy("127.0.0.1", 1)


@pytest.fixture
def tiny_proxy(tmp_path: Path) -> Iterator[TinyProxy]:
    if shutil.which("tinyproxy") is None:
        pytest.skip("needs tinyproxy (apt: tinyproxy-bin)")
    proxy = TinyProxy(tmp_path)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


@pytest.fixture
def protected() -> Iterator[FakeDestination]:
    with FakeDestination(certificate=self_signed()) as fake:
        yield fake


@pytest.fixture
def proxied(yard: Yard, protected: FakeDestination, tiny_proxy: TinyProxy) -> Yard:
    """A yard whose destination is reached through a real proxy."""
    yard.fake = protected
    data = export(protected.connection(full_store_and_read=True))
    outcome = connecting.connect(yard.database, yard.shop.keyring, data, proxy=tiny_proxy.proxy(), actor=ACTOR)
    assert isinstance(outcome, Connected), outcome
    return yard


def try_again(yard: Yard) -> None:
    with yard.database.write() as session:
        destinations.try_again(session, actor=ACTOR)


# --- through a real proxy ---------------------------------------------------------------------------------------------


def test_recordings_are_delivered_through_a_proxy_that_asks_who_it_is(proxied: Yard, tiny_proxy: TinyProxy) -> None:
    stored = proxied.store(clips=2)
    with proxied.uploading():
        proxied.wait(lambda: proxied.is_delivered(stored))
    proxied.check_delivered_once(stored)
    assert set(tiny_proxy.led_to()) == {f"127.0.0.1:{proxied.fake.port}"}
    assert not any("proxy" in name.lower() for seen in proxied.fake.requests for name in seen.headers)


def test_its_password_is_sealed_and_told_to_nobody_else(
    proxied: Yard, tiny_proxy: TinyProxy, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        connecting.rehearse_again(proxied.database, proxied.shop.keyring, actor=ACTOR)
        refused = connecting.set_proxy(
            proxied.database, proxied.shop.keyring, tiny_proxy.proxy("another-canary"), actor=ACTOR
        )
    told = [caplog.text, repr(refused), repr(tiny_proxy.proxy()), str(proxied.fake.requests)]
    with proxied.database.read() as session:
        told += [str(event.detail) for event in session.scalars(select(Event))]
        assert destinations.proxy(proxied.destination(), proxied.shop.keyring) == tiny_proxy.proxy()
    assert not [text for text in told if PASSWORD in text or "another-canary" in text]
    kept = b"".join(
        path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "tinyproxy" not in path.name
    )
    assert tiny_proxy.proxy().address.encode() in kept, "something was looked at"
    assert PASSWORD.encode() not in kept


def test_a_proxy_that_is_gone_holds_recordings_up_and_loses_none(proxied: Yard, tiny_proxy: TinyProxy) -> None:
    stored = proxied.store()
    tiny_proxy.stop()
    with proxied.uploading():
        proxied.wait(lambda: proxied.destination().problem_id == "proxy-unreachable")
        assert proxied.destination().state is DestinationState.WAITING
        proxied.check_nothing_lost(stored)
        tiny_proxy.start()
        try_again(proxied)
        proxied.wait(lambda: proxied.is_delivered(stored))
    proxied.check_delivered_once(stored)


def test_a_proxy_that_refuses_the_sign_in_stops_until_somebody_mends_it(proxied: Yard, tiny_proxy: TinyProxy) -> None:
    stored = proxied.store()
    tiny_proxy.stop()
    tiny_proxy.password = "changed-there"
    tiny_proxy.start()
    with proxied.uploading():
        proxied.wait(lambda: proxied.destination().problem_id == "proxy-refuses-sign-in")
        assert proxied.destination().state is DestinationState.STOPPED
        proxied.check_nothing_lost(stored)
        mended = connecting.set_proxy(
            proxied.database, proxied.shop.keyring, tiny_proxy.proxy("changed-there"), actor=ACTOR
        )
        assert isinstance(mended, Connected)
        proxied.wait(lambda: proxied.is_delivered(stored))
    proxied.check_delivered_once(stored)


def test_what_answers_garbage_in_place_of_the_proxy_is_named(proxied: Yard, tiny_proxy: TinyProxy) -> None:
    stored = proxied.store()
    tiny_proxy.stop()
    with strange_proxy(says(b"220 mail.example ESMTP\r\n"), tiny_proxy.port), proxied.uploading():
        proxied.wait(lambda: proxied.destination().problem_id == "proxy-nonsense")
        proxied.check_nothing_lost(stored)


def test_a_destination_behind_the_proxy_that_is_gone_is_the_destinations_problem(
    tiny_proxy: TinyProxy, protected: FakeDestination
) -> None:
    with closed_port() as port:
        connection = protected.connection(authentication_uris=(f"https://127.0.0.1:{port}/auth",))
        problem = rehearse(connection, proxy=tiny_proxy.proxy()).problem
    assert isinstance(problem, errors.ProxyRefuses)
    assert problem.values["host"] == f"127.0.0.1:{port}"


# --- a proxy never weakens TLS ----------------------------------------------------------------------------------------


def test_a_proxy_that_leads_elsewhere_is_found_out_by_the_certificate(protected: FakeDestination) -> None:
    with FakeDestination(certificate=self_signed()) as spy, strange_proxy(leads_to(spy.port)) as proxy:
        rehearsal = rehearse(protected.connection(), proxy=proxy.proxy())
        assert not spy.requests
    assert isinstance(rehearsal.problem, errors.CertificateRefused)
    assert rehearsal.steps[-1].name is RehearsalStepName.CERTIFICATE


def test_a_proxy_that_takes_the_protection_off_is_told_nothing(protected: FakeDestination) -> None:
    with FakeDestination() as spy, strange_proxy(leads_to(spy.port)) as proxy:
        problem = rehearse(protected.connection(), proxy=proxy.proxy(), timeout_seconds=2).problem
        assert isinstance(problem, errors.TlsFailed | errors.DestinationUnreachable)
        assert API_KEY not in str([spy.requests, proxy.heads])
    assert not [seen for seen in spy.requests if seen.path == AUTH_PATH]


def test_plain_http_never_goes_through_a_proxy() -> None:
    with strange_proxy(says(b"HTTP/1.1 200 OK\r\n\r\n")) as proxy:
        with FakeDestination() as here:
            assert rehearse(here.connection(), proxy=proxy.proxy()).ok, "plain HTTP to this machine goes there directly"
            elsewhere = here.connection(authentication_uris=("http://evidence.example/auth",))
        assert isinstance(rehearse(elsewhere, proxy=proxy.proxy()).problem, errors.ProxyNeedsTls)
        assert proxy.heads == []


@pytest.mark.parametrize("url", ["https://169.254.169.254/latest", "https://10.0.0.1/v1", "http://127.0.0.1/v1"])
def test_a_storage_address_in_the_proxys_network_is_no_way_in(
    protected: FakeDestination, tiny_proxy: TinyProxy, url: str
) -> None:
    protected.script("GET", AUTH_PATH, body(200, b"", **{"X-Auth-Token": "t", "X-Storage-Url": url}))
    rehearsal = rehearse(protected.connection(), proxy=tiny_proxy.proxy())
    assert isinstance(rehearsal.problem, errors.StorageUrlRefused)
    assert set(tiny_proxy.led_to()) == {f"127.0.0.1:{protected.port}"}


def test_proxies_of_the_environment_are_not_used(protected: FakeDestination, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, NOWHERE.address)
    assert rehearse(protected.connection()).ok


# --- each failure has its name ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behave", "problem"),
    [
        (says(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), errors.ProxySignInRefused),
        (says(b"HTTP/1.0 401 Unauthorized\r\n\r\n"), errors.ProxySignInRefused),
        (says(b"HTTP/1.1 403 Filtered\r\n\r\n"), errors.ProxyRefuses),
        (says(b"HTTP/1.1 502 Bad Gateway\r\n\r\n"), errors.ProxyRefuses),
        (says(b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\n\r\n"), errors.ProxyRefuses),
        (says(b"\x16\x03\x01\x02\x00"), errors.ProxyNonsense),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), errors.ProxyNonsense),
        (says(b"HTTP/1.1 " + b"2" * 100_000 + b"\r\n\r\n"), errors.ProxyNonsense),
        (says(b""), errors.ProxyUnreachable),
        (silent, errors.ProxyUnreachable),
        (endless, errors.ProxyNonsense),
    ],
    ids=[
        "sign-in",
        "wrong-password",
        "filter",
        "gateway",
        "redirect",
        "tls",
        "ssh",
        "long",
        "hung-up",
        "silent",
        "endless",
    ],
)
def test_each_failure_of_a_proxy_is_named(
    protected: FakeDestination, behave: Behaviour, problem: type[errors.BodywornError]
) -> None:
    with strange_proxy(behave) as proxy:
        began = time.monotonic()
        rehearsal = rehearse(protected.connection(), proxy=proxy.proxy(), timeout_seconds=0.5)
    assert type(rehearsal.problem) is problem
    assert rehearsal.steps[-1].name is RehearsalStepName.CONNECTION
    assert time.monotonic() - began < 5
    assert not protected.requests


def test_a_proxy_that_is_not_there_is_named(protected: FakeDestination) -> None:
    for place in (NOWHERE, Proxy("nobody.invalid", 3128)):
        problem = rehearse(protected.connection(), proxy=place).problem
        assert isinstance(problem, errors.ProxyUnreachable)
        assert problem.values["proxy"] == place.place


def test_a_proxy_that_does_not_lead_there_is_not_saved(yard: Yard, protected: FakeDestination) -> None:
    yard.fake = protected
    connecting.connect(yard.database, yard.shop.keyring, export(protected.connection()), actor=ACTOR)
    outcome = connecting.set_proxy(yard.database, yard.shop.keyring, NOWHERE, actor=ACTOR)
    assert isinstance(outcome, Refused)
    assert yard.destination().proxy_address is None
    assert yard.destination().state is DestinationState.OKAY


def test_a_request_says_no_more_than_where_to(protected: FakeDestination) -> None:
    with strange_proxy(leads_to(protected.port)) as proxy:
        assert Client(protected.connection(), proxy=proxy.proxy()).capabilities()
        place = f"127.0.0.1:{protected.port}"
        assert proxy.heads == [f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode()]


# --- what is entered --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("proxy.example:3128", "proxy.example:3128"),
        (" http://Proxy.Example:80/ ", "proxy.example:80"),
        ("proxy.example", f"proxy.example:{DEFAULT_PORT}"),
        ("[2001:db8::1]:8080", "[2001:db8::1]:8080"),
        ("[2001:db8::1]", f"[2001:db8::1]:{DEFAULT_PORT}"),
    ],
)
def test_an_address_is_read_as_people_write_it(text: str, place: str) -> None:
    proxy = parse_proxy(text)
    assert (proxy.place, proxy.address, proxy.sign_in) == (place, f"http://{place}", None)


@pytest.mark.parametrize(
    ("address", "user", "password"),
    [
        ("", "", ""),
        ("https://proxy.example", "", ""),
        ("socks5://proxy.example", "", ""),
        ("http://name:word@proxy.example", "", ""),
        ("proxy.example/path", "", ""),
        ("proxy.example:99999", "", ""),
        ("proxy example", "", ""),
        ("proxy.example\r\nX: y", "", ""),
        ("proxy.example", "na:me", "a word"),
        ("proxy.example", "", "only a password"),
        ("proxy.example", "name", "line\r\nX-Injected: yes"),
        ("proxy.example", "n" * 256, ""),
    ],
)
def test_what_is_no_proxy_is_refused_with_the_reason(address: str, user: str, password: str) -> None:
    with pytest.raises(errors.ProxyAddressRefused) as refused:
        parse_proxy(address, user, password)
    assert not password or password not in str(refused.value)


def test_a_known_password_stays_with_its_address_and_name(proxied: Yard, tiny_proxy: TinyProxy) -> None:
    """Else whoever may set a proxy could have the sealed password sent to a machine of their own."""
    with proxied.database.read() as session:

        def chosen(address: str, user: str, password: str = "") -> Secret | None:
            proxy = connecting.choose_proxy(session, proxied.shop.keyring, address, user, password)
            return proxy.sign_in if proxy else None

        there = tiny_proxy.proxy().place
        assert chosen(there, USER) == Secret(f"{USER}:{PASSWORD}")
        assert chosen("evil.example:3128", USER) == Secret(f"{USER}:")
        assert chosen(there, "somebody") == Secret("somebody:")
        assert chosen(there, USER, "new") == Secret(f"{USER}:new")
        assert chosen(there, "") is None
        assert chosen("", "") is None
        with pytest.raises(errors.ProxyAddressRefused):
            chosen("", USER)


def test_strange_proxies_are_strange(protected: FakeDestination) -> None:
    """One that does what it should lets everything through, so the others fail for their reasons."""
    with strange_proxy(leads_to(protected.port)) as proxy:
        assert isinstance(proxy, StrangeProxy)
        assert rehearse(protected.connection(), proxy=proxy.proxy()).ok
