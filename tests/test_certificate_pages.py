"""Settings, Certificates, as a browser uses them: over the real server, signed by an authority made with openssl."""

from __future__ import annotations

import http.client
import io
import re
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from bodyworn import tls
from bodyworn.crypto import certificate_making
from bodyworn.errors import CertificatesUnusable
from bodyworn.models import Event
from bodyworn.services.certificate_store import DEFAULT_NAME, CertificateStore
from bodyworn_host import accounts, state
from bodyworn_host.app import create_app
from bodyworn_host.server import Server, free_port
from bodyworn_host.settings import PasswordCost, Settings
from bodyworn_host.tls import TlsServer
from certificates import self_signed
from hosting import PASSWORD, ROOT, SAME_ORIGIN, host_app, loader_of, signed_in, token_in, token_of
from seed import found_system
from sqlalchemy import select

pytestmark = pytest.mark.feature("CRT-1")

PAGE = "/bodyworn/settings/certificates"
#: What a machine other than this one could open: any address that is not loopback makes the host speak HTTPS.
ANY = "0.0.0.0"


class Browser:
    """A browser in few lines: cookies, one connection, redirects; trusts any certificate, as people do."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self.connection = self.fresh()

    def fresh(self) -> http.client.HTTPSConnection:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)

    def get(self, path: str) -> str:
        return self.ask("GET", path)

    def post(self, path: str, **values: str) -> str:
        form = urlencode({"csrf_token": self.token, **values})
        return self.ask("POST", path, form, "application/x-www-form-urlencoded")

    def upload(self, path: str, name: str, data: bytes) -> str:
        body = b"".join(
            (
                b'--edge\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n' + self.token.encode(),
                f'\r\n--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode(),
                data + b"\r\n--edge--\r\n",
            )
        )
        return self.ask("POST", path, body, "multipart/form-data; boundary=edge")

    def ask(self, method: str, path: str, body: str | bytes | None = None, kind: str = "") -> str:
        headers = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html", "Cookie": self.cookie}
        headers |= {"Content-Type": kind} if kind else {}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for name, morsel in SimpleCookie("; ".join(answer.headers.get_all("Set-Cookie") or [])).items():
            self.cookies[name] = morsel.value
        self.headers, self.path = answer.headers, path
        if answer.status in (302, 303):
            return self.get(answer.headers["Location"])
        self.status = answer.status
        if tokens := re.findall(r'name="csrf_token" value="([^"]*)"', text):
            self.token = tokens[-1]
        return text

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


@pytest.fixture
def site(tmp_path):
    """The whole host over HTTPS, its plugin started but for the controller."""
    settings = Settings(
        tmp_path, (ROOT,), address=ANY, port=free_port(ANY), password_cost=PasswordCost.QUICK, testing=True
    )
    app = create_app(settings)
    loader_of(app).migrate()
    with app.app_context():
        accounts.create(state.of(app).passwords, "administrator", "administrator", PASSWORD)
    runtime = app.extensions["bodyworn"]
    with runtime.database.write() as session:
        found_system(session, datetime.now(UTC))
    tls.start(runtime)
    server = Server(app, settings, state.of(app).tls)
    server.start()
    browser = Browser(settings.port)
    browser.get("/sign-in")
    browser.post("/sign-in", name="administrator", password=PASSWORD)
    yield SimpleNamespace(
        runtime=runtime, browser=browser, port=settings.port, store=tls.store(runtime), tls=state.of(app).tls, app=app
    )
    browser.connection.close()
    server.stop()
    runtime.database.close()
    with app.app_context():
        for engine in app.extensions["sqlalchemy"].engines.values():
            engine.dispose()


def issuer_shown(port: int) -> str:
    """Ask openssl who signed what a new connection gets."""
    command = f"openssl s_client -connect 127.0.0.1:{port} </dev/null | openssl x509 -noout -issuer"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, timeout=20)
    return done.stdout.strip()


def signed_by_openssl(folder: Path, request: str, days: int = 90) -> bytes:
    """Be a certificate authority, as its people would: with openssl."""
    (folder / "depot.csr").write_text(request)
    making = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt"]
    making += ["-subj", "/CN=Own CA"]
    signing = ["x509", "-req", "-in", "depot.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"]
    signing += ["-copy_extensions", "copyall", "-days", str(days), "-out", "depot.crt"]
    for command in (making, signing):
        subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)
    return (folder / "depot.crt").read_bytes()


def one_named(site, name: str):
    return next(stored for stored in site.store.all() if stored.name == name)


def actions(site) -> list[str]:
    with site.runtime.database.read() as session:
        found = session.scalars(select(Event.action).where(Event.object_kind == "certificate").order_by(Event.sequence))
        return [action.removeprefix("certificate.") for action in found]


def request_of(page: str) -> str:
    return re.findall(r"-----BEGIN CERTIFICATE REQUEST-----.*?-----END CERTIFICATE REQUEST-----\n", page, re.DOTALL)[0]


def install_signed(site, folder: Path) -> None:
    """Go the manual's way from the default certificate to one that an authority signed."""
    default = one_named(site, DEFAULT_NAME)
    page = site.browser.post(f"{PAGE}/{default.id}/signing-request")
    signed = signed_by_openssl(folder, request_of(page))
    site.browser.get(f"{PAGE}/install")
    site.browser.upload(f"{PAGE}/install", "depot.crt", signed)


@pytest.mark.feature("CRT-4")
def test_the_first_visit_is_https_with_the_default_certificate(site):
    assert "CN" in issuer_shown(site.port)
    page = site.browser.get(PAGE)
    assert "Default (self-signed)" in page
    assert site.tls.now().fingerprint == one_named(site, DEFAULT_NAME).facts.fingerprint_sha256
    assert "Strict-Transport-Security" not in site.browser.headers
    assert actions(site) == ["created", "activated"]


@pytest.mark.feature("CRT-2")
def test_what_an_authority_signed_is_installed_activated_and_kept(site, tmp_path):
    install_signed(site, tmp_path)
    assert "notice=certificate-installed" in site.browser.path
    stored = one_named(site, "depot")
    assert "Keep it there within 60 seconds" in site.browser.get(f"{PAGE}/{stored.id}/activate")
    page = site.browser.post(f"{PAGE}/{stored.id}/activate")
    assert issuer_shown(site.port) == "issuer=CN = Own CA"
    assert "Keep depot?" in page
    assert "Strict-Transport-Security" not in site.browser.headers
    page = site.browser.post(f"{PAGE}/confirm")
    assert "Kept. This certificate is used from now on." in page
    assert site.browser.headers["Strict-Transport-Security"] == "max-age=2592000"
    assert actions(site)[2:] == ["requested", "installed", "activated", "confirmed"]
    assert TlsServer(state.of(site.app).settings.data_dir / "tls", ANY).now().fingerprint == site.tls.now().fingerprint


@pytest.mark.feature("CRT-2")
def test_what_nobody_keeps_is_lost_and_the_page_says_so(site, tmp_path, monkeypatch):
    assert tls.CONFIRM_WITHIN_SECONDS == 60
    before = issuer_shown(site.port)
    install_signed(site, tmp_path)
    monkeypatch.setattr(site.tls, "_seconds", lambda: 0.0)
    page = site.browser.post(f"{PAGE}/{one_named(site, 'depot').id}/activate")
    assert "Keep depot?" in page
    monkeypatch.setattr(site.tls, "_seconds", lambda: 60.0)
    assert issuer_shown(site.port) == before
    assert "It was not kept in time" in site.browser.post(f"{PAGE}/confirm")
    assert actions(site)[-2:] == ["activated", "fell-back"]
    assert site.store.on_probation() is None


@pytest.mark.feature("CRT-2")
def test_a_page_over_an_old_connection_leads_back_until_it_comes_over_the_new_one(site, tmp_path):
    install_signed(site, tmp_path)
    site.browser.get(PAGE)
    open_before = site.browser.connection.sock
    page = site.browser.post(f"{PAGE}/{one_named(site, 'depot').id}/activate")
    assert site.browser.connection.sock is not open_before
    assert "again=" in site.browser.path
    assert "Keep depot?" in page


def test_a_restart_before_the_confirmation_is_written_down(site, tmp_path):
    install_signed(site, tmp_path)
    site.browser.post(f"{PAGE}/{one_named(site, 'depot').id}/activate")
    site.tls._served, site.tls._change = site.tls._change.former, None  # what a restart comes to
    tls.start(site.runtime)
    assert actions(site)[-1] == "fell-back"


def test_what_is_in_use_or_would_come_back_is_not_deleted(site, tmp_path):
    install_signed(site, tmp_path)
    default, depot = one_named(site, DEFAULT_NAME), one_named(site, "depot")
    assert "is in use" in site.browser.post(f"{PAGE}/{default.id}/delete")
    site.browser.post(f"{PAGE}/{depot.id}/activate")
    for stored in (default, depot):
        assert "is in use" in site.browser.post(f"{PAGE}/{stored.id}/delete")
    site.browser.post(f"{PAGE}/confirm")
    assert "Deleted." in site.browser.post(f"{PAGE}/{default.id}/delete")
    assert [stored.name for stored in site.store.all()] == ["depot"]
    assert not default.private_key.exists()


def test_a_certificate_whose_files_were_damaged_is_shown_and_not_served(site):
    made = make(site, "broken")
    made.private_key.write_bytes(certificate_making.generate_key())
    assert "its private key on this machine is another one" in site.browser.get(PAGE)
    site.browser.post(f"{PAGE}/{made.id}/activate")
    assert site.browser.status == 400
    assert site.tls.waiting_until() is None
    assert "Deleted." in site.browser.post(f"{PAGE}/{made.id}/delete")


def test_the_default_certificate_is_renewed_at_a_start_before_it_ends(site, monkeypatch):
    before = one_named(site, DEFAULT_NAME)
    late = before.facts.valid_until - timedelta(days=20)

    class Late(datetime):
        @classmethod
        def now(cls, zone=None):
            return late

    monkeypatch.setattr(tls, "datetime", Late)
    tls.start(site.runtime)
    after = one_named(site, DEFAULT_NAME)
    assert after.id == before.id
    assert after.private_key.read_bytes() == before.private_key.read_bytes()
    assert after.facts.valid_until > before.facts.valid_until
    assert site.tls.now().fingerprint == after.facts.fingerprint_sha256
    assert actions(site)[-2:] == ["renewed", "activated"]


def make(site, name: str):
    """Create a self-signed certificate on its page."""
    site.browser.get(f"{PAGE}/create")
    site.browser.post(f"{PAGE}/create", name=name, common_name="depot", names="depot 10.0.0.1", days="30")
    return one_named(site, name)


# --- pages over plain HTTP on this machine, which is quicker ---------------------------------------------------------


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("plain")
    app = host_app(tmp_path)
    runtime = app.extensions["bodyworn"]
    with runtime.database.write() as session:
        found_system(session, datetime.now(UTC))
    tls.start(runtime)
    browser = signed_in(app, "administrator")
    yield SimpleNamespace(app=app, browser=browser, store=tls.store(runtime), folder=tmp_path, runtime=runtime)
    runtime.database.close()


def post(plain, path: str, **values: str):
    form = {"csrf_token": token_of(plain.browser), **values}
    return plain.browser.post(path, data=form, headers=SAME_ORIGIN)


def upload(plain, name: str, data: bytes):
    form = {"csrf_token": token_of(plain.browser), "file": (io.BytesIO(data), name)}
    return plain.browser.post(f"{PAGE}/install", data=form, headers=SAME_ORIGIN)


def told(answer) -> str:
    """Give what a page says is wrong, and no more."""
    return " ".join(re.findall(r'<p class="bw-(?:strong|error)[^>]*>(.*?)</p>', answer.text, re.DOTALL))


def everything_in(folder: Path) -> set[Path]:
    return set((folder / "plugins" / "bodyworn" / "certs").rglob("*"))


def for_our_key(plain) -> bytes:
    """What could be installed: other content for the key that is here."""
    key = plain.store.all()[0].private_key.read_bytes()
    values = certificate_making.Values("other", ("other",))
    now = datetime.now(UTC)
    return certificate_making.self_sign(key, values, valid_days=20, now=now)


def test_without_tls_the_page_says_so_and_shows_the_files(plain):
    page = plain.browser.get(PAGE).text
    assert "This address is served without TLS" in page
    assert str(plain.store.all()[0].certificate) in page
    assert "/activate" not in page
    post(plain, f"{PAGE}/{plain.store.all()[0].id}/activate")
    assert plain.store.on_probation() is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../../etc/x.crt", "this name cannot be used"),
        ("C:\\x\\y.crt", "this name cannot be used"),
        (".hidden.crt", "this name cannot be used"),
        ("two words.crt", "this name cannot be used"),
        ("ä.crt", "this name cannot be used"),
        ("x.txt", "this name cannot be used"),
        ("x", "this name cannot be used"),
        (".crt", "this name cannot be used"),
        (f"{'x' * 65}.crt", "this name cannot be used"),
        ("TAKEN.crt", "There is a certificate named TAKEN here already"),
    ],
)
def test_a_file_whose_name_cannot_be_a_certificate_s_leaves_nothing(plain, name, why):
    post(plain, f"{PAGE}/create", name="taken", common_name="x", names="x", days="9")
    before = everything_in(plain.folder)
    answer = upload(plain, name, for_our_key(plain))
    assert answer.status_code == 422
    assert why in told(answer)
    assert everything_in(plain.folder) == before


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "No file was chosen, or it is empty."),
        (b"x" * (64 * 1024 + 1), "The file is larger than 65536 bytes."),
        (b"x" * (300 * 1024), "The file is larger than 65536 bytes."),
        (b"junk", "is not a certificate that can be read"),
        (self_signed().pem, "belongs to a key that is not on this machine"),
        (self_signed().key_pem, "contains a private key"),
    ],
)
def test_a_file_that_is_refused_leaves_nothing(plain, data, why):
    before = everything_in(plain.folder)
    answer = upload(plain, "x.crt", data)
    assert answer.status_code == 422
    assert why in told(answer)
    assert everything_in(plain.folder) == before


def test_the_same_certificate_is_not_installed_twice(plain):
    data = for_our_key(plain)
    assert upload(plain, "one.crt", data).status_code == 303
    assert "installed already, as one" in upload(plain, "two.crt", data).text


def test_an_installed_certificate_has_the_name_of_its_file_and_the_key_beside_it(plain):
    upload(plain, "depot.2026_x-1.PEM", for_our_key(plain))
    stored = one_named(plain, "depot.2026_x-1")
    assert stored.private_key.stat().st_mode & 0o777 == 0o600
    assert stored.certificate.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("name", "", "Enter a name."),
        ("name", "a/b", "Use at most 64 letters"),
        ("name", "x" * 65, "Use at most 64 letters"),
        ("common_name", "", "Enter the name by which people open this system."),
        ("common_name", "x" * 65, "Use at most 64 characters."),
        ("names", "", "Enter at least one host name or address."),
        ("names", "https://x", "Enter host names and IP addresses alone"),
        ("names", " ".join(f"h{number}" for number in range(51)), "Enter host names and IP addresses alone"),
        ("country", "Germany", "Use the two letters of the country"),
        ("days", "399", "Enter a number from 1 to 398."),
        ("days", "0", "Enter a number from 1 to 398."),
        ("days", "soon", "Enter a number from 1 to 398."),
        ("organization", "a\x00b", "Use characters that can be seen."),
    ],
)
def test_wrong_values_are_named_at_their_field_and_make_nothing(plain, field, value, why):
    before = everything_in(plain.folder)
    values = {"name": "n", "common_name": "depot", "names": "depot", "days": "30"} | {field: value}
    answer = post(plain, f"{PAGE}/create", **values)
    assert answer.status_code == 422
    assert why in told(answer)
    assert everything_in(plain.folder) == before


def test_names_are_given_once(plain):
    values = {"common_name": "depot", "names": "depot", "days": "30"}
    assert post(plain, f"{PAGE}/create", name="first", **values).status_code == 303
    assert "Another certificate has this name already." in post(plain, f"{PAGE}/create", name="FIRST", **values).text


def test_a_signing_request_can_be_downloaded_and_so_can_the_certificate(plain):
    stored = plain.store.all()[0]
    request = plain.browser.get(f"{PAGE}/{stored.id}/signing-request.csr")
    assert request.headers["Content-Disposition"] == 'attachment; filename="default-self-signed.csr"'
    assert request_of(request.text)
    assert plain.browser.get(f"{PAGE}/{stored.id}/certificate.crt").data == stored.certificate.read_bytes()


def test_nobody_gets_a_key(plain):
    stored = plain.store.all()[0]
    secret = stored.private_key.read_text().splitlines()[1]
    of_one = ("signing-request", "signing-request.csr", "certificate.crt", "activate", "delete")
    for path in ("", "/create", *(f"/{stored.id}/{page}" for page in of_one)):
        assert secret not in plain.browser.get(PAGE + path).text


@pytest.mark.parametrize("unknown", ["0" * 16, "x", "..", "%2e%2e"])
def test_a_certificate_that_is_not_there_is_not_found(plain, unknown):
    assert plain.browser.get(f"{PAGE}/{unknown}/activate").status_code == 404


def test_what_was_left_by_a_crash_is_swept_away(plain):
    folder = plain.folder / "plugins" / "bodyworn" / "certs"
    (folder / ".new-0123456789abcdef").mkdir()
    (folder / ".old-0123456789abcdef").mkdir()
    (folder / "0123456789abcdef").mkdir()
    tls.start(plain.runtime)
    assert sorted(path.name[:5] for path in folder.iterdir() if path.name.startswith(".")) == []
    assert "0123456789abcdef" in plain.browser.get(PAGE).text


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "certs").write_text("a file")
    with pytest.raises(CertificatesUnusable, match="cannot be read or written"):
        CertificateStore(tmp_path / "certs").all()


def test_the_token_of_the_form_is_in_every_page(plain):
    stored = plain.store.all()[0]
    for path in ("/create", "/install", f"/{stored.id}/signing-request", f"/{stored.id}/delete"):
        assert token_in(plain.browser.get(PAGE + path).text)
