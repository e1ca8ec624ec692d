"""HTTPS of the reference host: what new connections get, changed while it serves, and taken back by itself."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
import time
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from bodyworn_host import tls as host_tls
from bodyworn_host.problems import CertificateUnusable
from bodyworn_host.redirect import RedirectServer, location
from bodyworn_host.server import Server, free_port
from bodyworn_host.settings import Settings
from bodyworn_host.tls import Files, OfferedTls, TlsServer
from certificates import self_signed
from flask import Flask

pytestmark = pytest.mark.feature("CRT-2")

ADDRESS = "127.0.0.1"


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def written(folder: Path, name: str, **values) -> Files:
    """Make a certificate and its key, as files."""
    made = self_signed(**values)
    files = Files(folder / f"{name}.crt", folder / f"{name}.key")
    files.certificate.write_bytes(made.pem)
    files.private_key.write_bytes(made.key_pem)
    return files


def demo_app(tls: TlsServer) -> Flask:
    """An app that tells and changes what it is served with."""
    app, offered = Flask("demo"), OfferedTls(tls)
    app.add_url_rule("/", "hello", lambda: "hello")
    app.add_url_rule("/serving", "serving", lambda: str(offered.serving().over_it))
    app.add_url_rule("/confirm", "confirm", lambda: str(offered.confirm()), methods=["POST"])
    return app


@contextmanager
def served(folder: Path, clock=time.monotonic):
    """Serve on a free port of this machine."""
    tls = TlsServer(folder / "tls", ADDRESS, seconds=clock)
    settings = Settings(folder, address=ADDRESS, port=free_port(ADDRESS))
    server = Server(demo_app(tls), settings, tls)
    server.start()
    try:
        yield SimpleNamespace(tls=tls, port=settings.port, offered=OfferedTls(tls))
    finally:
        server.stop()


@pytest.fixture
def site(tmp_path):
    clock = Clock()
    with served(tmp_path, clock) as found:
        found.clock = clock
        found.first = found.tls.now().fingerprint
        yield found


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def connected(site) -> http.client.HTTPSConnection:
    connection = http.client.HTTPSConnection(ADDRESS, site.port, timeout=20, context=trusting())
    connection.connect()
    return connection


def said(connection, path: str = "/", method: str = "GET") -> str:
    connection.request(method, path)
    return connection.getresponse().read().decode()


def shown(site) -> str:
    """Ask openssl which certificate a new connection gets."""
    command = f"openssl s_client -connect {ADDRESS}:{site.port} </dev/null | openssl x509 -noout -fingerprint -sha256"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, timeout=20)
    return done.stdout.strip().partition("=")[2].replace(":", "").lower()


def test_a_host_has_a_certificate_of_its_own_from_the_first_start(site, tmp_path):
    assert shown(site) == site.first
    assert (tmp_path / "tls" / "own.key.pem").stat().st_mode & 0o777 == 0o600
    context = ssl.create_default_context(cafile=str(tmp_path / "tls" / "own.crt.pem"))
    with closing(http.client.HTTPSConnection(ADDRESS, site.port, timeout=20, context=context)) as client:
        assert said(client) == "hello"


def test_openssl_sees_a_new_certificate_within_a_second(site, tmp_path):
    files = written(tmp_path, "new")
    before = time.monotonic()
    site.offered.activate(files.certificate, files.private_key, 60)
    activated = time.monotonic() - before
    assert shown(site) == site.tls.now().fingerprint != site.first
    assert activated < 1


def test_a_connection_from_before_goes_on(site, tmp_path):
    with closing(connected(site)) as old:
        assert said(old) == "hello"
        raw = old.sock
        files = written(tmp_path, "new")
        site.offered.activate(files.certificate, files.private_key, 60)
        assert [said(old), said(old)] == ["hello", "hello"]
        assert old.sock is raw


def test_a_browser_that_asks_over_an_old_connection_has_to_come_back(site, tmp_path):
    with closing(connected(site)) as old:
        assert said(old, "/serving") == "True"
        files = written(tmp_path, "new")
        site.offered.activate(files.certificate, files.private_key, 60)
        old.request("GET", "/serving")
        answer = old.getresponse()
        assert (answer.read(), answer.headers["Connection"]) == (b"False", "close")
        assert said(old, "/serving") == "True"


def test_what_nobody_confirms_is_gone_after_its_time(site, tmp_path):
    files = written(tmp_path, "new")
    site.offered.activate(files.certificate, files.private_key, 60)
    site.clock.seconds += 59.9
    assert shown(site) != site.first
    site.clock.seconds += 0.1
    assert shown(site) == site.first
    assert site.offered.serving().confirm_before is None


def test_it_comes_back_by_the_machine_s_own_clock(tmp_path):
    with served(tmp_path) as site:
        first, files = site.tls.now().fingerprint, written(tmp_path, "new")
        site.offered.activate(files.certificate, files.private_key, 0.5)
        assert site.tls.now().fingerprint != first
        time.sleep(0.5)
        assert shown(site) == first


def test_who_comes_over_the_new_certificate_keeps_it(site, tmp_path):
    files = written(tmp_path, "new")
    site.offered.activate(files.certificate, files.private_key, 60)
    with closing(connected(site)) as new:
        assert said(new, "/confirm", "POST") == "True"
    site.clock.seconds += 1000
    assert shown(site) != site.first
    assert TlsServer(tmp_path / "tls", ADDRESS).now().fingerprint == site.tls.now().fingerprint


def test_who_comes_over_the_old_one_keeps_nothing(site, tmp_path):
    with closing(connected(site)) as old:
        said(old)
        files = written(tmp_path, "new")
        site.offered.activate(files.certificate, files.private_key, 60)
        assert said(old, "/confirm", "POST") == "False"
    site.clock.seconds += 61
    assert shown(site) == site.first


def test_who_comes_too_late_keeps_nothing(site, tmp_path):
    files = written(tmp_path, "new")
    site.offered.activate(files.certificate, files.private_key, 60)
    with closing(connected(site)) as new:
        said(new)
        site.clock.seconds += 60
        assert said(new, "/confirm", "POST") == "False"
    assert shown(site) == site.first


def test_a_second_change_falls_back_to_what_was_confirmed_last(site, tmp_path):
    for name in ("one", "two"):
        files = written(tmp_path, name)
        site.offered.activate(files.certificate, files.private_key, 60)
        site.clock.seconds += 30
    site.clock.seconds += 30
    assert shown(site) == site.first


def test_what_was_not_confirmed_before_a_restart_is_not_served_after_it(site, tmp_path):
    confirmed, unconfirmed = written(tmp_path, "one"), written(tmp_path, "two")
    site.offered.activate(confirmed.certificate, confirmed.private_key, None)
    kept = site.tls.now().fingerprint
    site.offered.activate(unconfirmed.certificate, unconfirmed.private_key, 60)
    assert TlsServer(tmp_path / "tls", ADDRESS).now().fingerprint == kept


def test_files_that_are_gone_leave_the_host_its_own(site, tmp_path):
    files = written(tmp_path, "one")
    site.offered.activate(files.certificate, files.private_key, None)
    files.certificate.unlink()
    assert TlsServer(tmp_path / "tls", ADDRESS).now().fingerprint == site.first


def test_a_data_folder_may_be_moved(site, tmp_path):
    (tmp_path / "plugins").mkdir()
    files = written(tmp_path / "plugins", "one")
    site.offered.activate(files.certificate, files.private_key, None)
    moved = tmp_path.with_name("moved")
    tmp_path.rename(moved)
    try:
        assert TlsServer(moved / "tls", ADDRESS).now().files.certificate == moved / "plugins" / "one.crt"
    finally:
        moved.rename(tmp_path)


@pytest.mark.parametrize("broken", ["key of another", "no key", "no certificate", "junk", "key as certificate"])
def test_what_does_not_work_is_refused_and_changes_nothing(site, tmp_path, broken):
    files = written(tmp_path, "new")
    if broken == "key of another":
        files.private_key.write_bytes(self_signed().key_pem)
    elif broken == "no key":
        files.private_key.unlink()
    elif broken == "no certificate":
        files.certificate.unlink()
    else:
        files.certificate.write_bytes(b"junk" if broken == "junk" else files.private_key.read_bytes())
    with pytest.raises(ValueError, match=r"\w"):
        site.offered.activate(files.certificate, files.private_key, 60)
    assert shown(site) == site.first
    assert site.offered.serving().confirm_before is None


def test_a_client_that_says_nothing_keeps_nobody_waiting(site):
    with closing(socket.create_connection((ADDRESS, site.port), timeout=20)):
        began = time.monotonic()
        with closing(connected(site)) as client:
            assert said(client) == "hello"
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\x00\x05junk!", b"\x16", b"", b"SSH-2.0-x\r\n"])
def test_noise_does_not_end_the_server(site, noise):
    with closing(socket.create_connection((ADDRESS, site.port), timeout=20)) as raw:
        raw.sendall(noise)
    with closing(connected(site)) as client:
        assert said(client) == "hello"


def test_old_tls_is_refused(site):
    context = trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection((ADDRESS, site.port), timeout=20) as raw, context.wrap_socket(raw) as found:
        assert found.version() == "TLSv1.2"
    assert site.tls.now().context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_plain_http_on_the_same_port_is_led_to_https(site, method):
    with closing(http.client.HTTPConnection(ADDRESS, site.port, timeout=20)) as plain:
        plain.request(method, "/page?x=1", body=b"password=secret" if method == "POST" else None)
        answer = plain.getresponse()
        expected = (307, f"https://{ADDRESS}:{site.port}/page?x=1") if method == "GET" else (400, None)
        assert (answer.status, answer.headers["Location"]) == expected


def test_a_port_of_its_own_leads_to_https():
    port = free_port(ADDRESS)
    server = RedirectServer(ADDRESS, port, 443)
    server.start()
    try:
        with closing(http.client.HTTPConnection(ADDRESS, port, timeout=20)) as plain:
            plain.request("GET", "/a", headers={"Host": "depot.example.org"})
            assert plain.getresponse().headers["Location"] == "https://depot.example.org/a"
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("host", "path", "expected"),
    [
        ("depot:80", "/", "https://depot/"),
        ("[fd00::1]:80", "/x", "https://[fd00::1]/x"),
        ("", "/", None),
        ("a b", "/", None),
        ("evil@depot", "/", None),
        ("depot", "x", None),
        ("depot", "/\r\nSet-Cookie: x", None),
    ],
)
def test_only_what_is_an_address_is_led_on(host, path, expected):
    assert location(host, 443, path) == expected


def test_every_address_but_loopback_is_served_over_https(tmp_path):
    assert host_tls.server_of(Settings(tmp_path, address="127.0.0.1")) is None
    for address in ("0.0.0.0", "192.0.2.7", "::"):
        assert host_tls.server_of(Settings(tmp_path, address=address)) is not None
        assert Settings(tmp_path, address=address).base_url.startswith("https://")


def test_a_given_certificate_is_what_is_served_or_nothing(tmp_path):
    given = written(tmp_path, "given")
    settings = Settings(tmp_path, address="192.0.2.7", certificate=given.certificate, private_key=given.private_key)
    assert host_tls.server_of(settings).now().files == given
    given.private_key.unlink()
    with pytest.raises(CertificateUnusable, match=r"given\.key"):
        host_tls.server_of(settings)
