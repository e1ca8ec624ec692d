"""Content destination in the reference host: connecting, replacing, keeping here, the proxy, rehearsing, exporting."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import seed
from bodyworn.destination.connection_file import export, parse
from bodyworn.errors import AuthorizationFailed, DestinationUnreachable
from bodyworn.models import Destination, ReceiverAccount
from bodyworn.services import connecting, destinations, own_destination
from bodyworn.services.connecting import Connected
from bodyworn.services.keyring import Keyring
from bodyworn_host.server import free_port
from certificates import self_signed
from fake_destination import AUTH_PATH, FakeDestination, closed_port, status
from flask.testing import FlaskClient
from hosting import ROLES, SAME_ORIGIN, host_app, signed_in, token_of
from proxies import leads_to, says, strange_proxy
from sqlalchemy import select
from test_connection_file import RSA_3072
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

DESTINATION = "/bodyworn/destination"
CONNECT = f"{DESTINATION}/connect"
PROXY = f"{DESTINATION}/proxy"


def open_site(folder: Path, port: int) -> SimpleNamespace:
    app = host_app(folder, port=port)
    database = app.extensions["bodyworn"].database
    with database.write() as session:
        seed.found_system(session, datetime.now(UTC))
    browsers = {role: signed_in(app, role) for role in ROLES}
    keyring = Keyring(app.extensions["bodyworn"].data_dir / "keys")
    return SimpleNamespace(app=app, database=database, keyring=keyring, **browsers)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A system that was set up, without a destination; nobody serves its addresses."""
    with closed_port() as port:
        opened = open_site(tmp_path, port)
        yield opened
        opened.database.close()


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[SimpleNamespace]:
    """The same, and its addresses are served."""
    opened = open_site(tmp_path, port := free_port("127.0.0.1"))
    server = make_server("127.0.0.1", port, opened.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield opened
    server.shutdown()
    thread.join()
    server.server_close()
    opened.database.close()


@pytest.fixture
def protected() -> Iterator[FakeDestination]:
    with FakeDestination(certificate=self_signed()) as fake:
        yield fake


def post(browser: FlaskClient, path: str, **values: object) -> TestResponse:
    return browser.post(path, data={"csrf_token": token_of(browser), **values}, headers=SAME_ORIGIN)


def upload(browser: FlaskClient, data: bytes, **values: str) -> TestResponse:
    return post(browser, CONNECT, file=(io.BytesIO(data), "file.json"), **values)


def connected(site: SimpleNamespace, fake: FakeDestination) -> None:
    outcome = connecting.connect(site.database, site.keyring, export(fake.connection()), actor="test")
    assert isinstance(outcome, Connected), outcome


def active(site: SimpleNamespace) -> Destination | None:
    with site.database.read() as session:
        return destinations.active(session)


def text_of(answer: TestResponse) -> str:
    """Give what a person reads: no markup, single spaces."""
    without_tags = re.sub(r"<[^>]+>", " ", answer.text)
    return " ".join(without_tags.replace("\N{NO-BREAK SPACE}", " ").replace("&#39;", "'").split())


# --- connecting and replacing


@pytest.mark.feature("SET-6")
def test_a_connection_file_is_rehearsed_and_adopted(site: SimpleNamespace) -> None:
    with FakeDestination() as fake:
        answer = upload(site.administrator, export(fake.connection(site_name="Evidence")), allow_http="y")
    assert answer.status_code == 303, text_of(answer)
    page = text_of(site.administrator.get(answer.headers["Location"]))
    for said in ("Delete the connection file now", "Evidence", "it confirms the digest", "Last rehearsal: went well"):
        assert said in page


@pytest.mark.feature("SET-7")
def test_a_failed_rehearsal_names_the_step_and_changes_nothing(site: SimpleNamespace) -> None:
    with FakeDestination() as fake:
        fake.script("GET", "/auth", *[status(401)] * 3)
        answer = upload(site.administrator, export(fake.connection()), proxy_address="", allow_http="y")
    assert answer.status_code == 422
    for said in ("Nothing was changed", "Failed Sign in", "Authorization failed"):
        assert said in text_of(answer)
    assert active(site) is None


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "No connection file was chosen"),
        (b"{" * (64 * 1024 + 1), "larger than 65536 bytes"),
        (b"not json", "not a JSON object"),
        (b"{}", "is missing from the connection file"),
        (b"x" * (300 * 1024), "larger than 65536 bytes"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(site: SimpleNamespace, data: bytes, sentence: str) -> None:
    answer = upload(site.administrator, data)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert "Nothing was changed" in text_of(answer)


def test_plain_http_to_another_machine_has_to_be_allowed(site: SimpleNamespace) -> None:
    with FakeDestination() as fake:
        data = export(fake.connection(authentication_uris=("http://evidence.example/auth/v1.0",)))
    assert "would travel unprotected" in text_of(upload(site.administrator, data))


@pytest.mark.feature("DST-5")
def test_replacing_says_first_what_it_changes_and_keeps_encryption_on(site: SimpleNamespace) -> None:
    sealed = {"want_encryption": True, "public_key_pem": RSA_3072, "public_key_id": "k"}
    with FakeDestination() as fake:
        assert upload(site.administrator, export(fake.connection(**sealed))).status_code == 303
        page = text_of(site.administrator.get(CONNECT))
        assert "Encryption is never turned off" in page
        assert "No recording is lost" in page
        refused = upload(site.administrator, export(fake.connection()))
        assert refused.status_code == 422
        assert upload(site.administrator, export(fake.connection(**sealed, site_name="Renewed"))).status_code == 303
    found = active(site)
    assert found is not None
    assert (found.want_encryption, found.site_name) == (True, "Renewed")


def test_a_storage_host_is_kept_only_where_it_is_the_storage(site: SimpleNamespace) -> None:
    with FakeDestination() as fake:
        assert upload(site.administrator, export(fake.connection()), storage_host="evil.example:1").status_code == 303
    found = active(site)
    assert found is not None
    assert found.confirmed_storage_host is None


# --- keeping recordings here


@pytest.mark.feature("SET-6")
def test_recordings_can_be_kept_on_this_server(serving: SimpleNamespace) -> None:
    assert "Keep recordings on this server" in text_of(serving.administrator.get(CONNECT))
    answer = post(serving.administrator, f"{DESTINATION}/keep-here")
    assert answer.status_code == 303, text_of(answer)
    assert "Recordings are kept on this server from now on" in text_of(
        serving.administrator.get(answer.headers["Location"])
    )
    found = active(serving)
    assert found is not None
    assert found.can_verify
    again = post(serving.administrator, f"{DESTINATION}/keep-here")
    assert again.status_code == 303
    kept = active(serving)
    assert kept is not None
    assert kept.id == found.id


def test_a_server_that_cannot_be_reached_by_itself_says_so_and_leaves_no_way_in(site: SimpleNamespace) -> None:
    answer = post(site.administrator, f"{DESTINATION}/keep-here")
    assert answer.status_code == 422
    assert "Nothing was changed" in text_of(answer)
    assert active(site) is None
    with site.database.read() as session:
        assert not any(account.active for account in session.scalars(select(ReceiverAccount)))


def test_a_destination_here_trusts_the_next_certificate_of_this_server_as_well(
    site: SimpleNamespace, protected: FakeDestination
) -> None:
    """Uploads to this host go on while its certificate is changed, and when it falls back."""
    following, another = self_signed(), self_signed()
    with site.database.write() as session:
        own_destination.trust_certificate(session, site.keyring, following.pem, actor="test")
        assert not own_destination.is_here(session, site.keyring), "there is none at all"
    connected(site, protected)
    before = active(site)
    with site.database.write() as session:
        own_destination.trust_certificate(session, site.keyring, following.pem, actor="test")
        assert not own_destination.is_here(session, site.keyring)
    after = active(site)
    assert before
    assert after
    assert after.sealed_file == before.sealed_file, "somebody else's destination is left alone"
    with site.database.write() as session:
        session.add(account_of(protected))
    assert protected.certificate
    with site.database.write() as session:
        for pem in (following.pem, following.pem, another.pem + protected.certificate.pem):
            own_destination.trust_certificate(session, site.keyring, pem, actor="test")
        found = destinations.active(session)
        assert found
        anchors = destinations.connection(found, site.keyring).anchors_pem
    assert anchors == (another.pem, following.pem, protected.certificate.pem)


def account_of(fake: FakeDestination) -> ReceiverAccount:
    """Make the account that this host would have if it were that destination."""
    return ReceiverAccount(
        id="0" * 32, user_name=fake.connection().user_name, key_sha256="0" * 64, created_at=datetime.now(UTC)
    )


# --- the proxy


@pytest.mark.feature("DST-4")
def test_a_proxy_is_tried_saved_shown_without_its_password_and_taken_away(
    site: SimpleNamespace, protected: FakeDestination
) -> None:
    connected(site, protected)
    with strange_proxy(leads_to(protected.port)) as strange:
        place = strange.proxy().place
        entered = {"proxy_address": place, "proxy_user": "bwc", "proxy_password": "canary-word"}
        assert post(site.administrator, PROXY, **entered).status_code == 303
        assert b"Proxy-Authorization: Basic" in strange.heads[0]
        pages = [site.administrator.get(path).text for path in (DESTINATION, PROXY, CONNECT)]
        assert all(place in page for page in pages)
        assert not any("canary-word" in page for page in pages)
        assert post(site.administrator, PROXY, proxy_address=place, proxy_user="bwc").status_code == 303
        with site.database.read() as session:
            proxy = destinations.proxy(session.scalars(select(Destination)).one(), site.keyring)
        assert proxy is not None
        assert proxy.sign_in is not None
        assert proxy.sign_in.reveal() == "bwc:canary-word"
    assert post(site.administrator, PROXY).status_code == 303
    assert "is reached directly" in text_of(site.administrator.get(PROXY))


@pytest.mark.parametrize(
    ("address", "sentence"), [("ftp://x", "This proxy cannot be used"), ("127.0.0.1:1", "cannot be reached")]
)
def test_a_proxy_that_does_not_work_is_not_saved(
    site: SimpleNamespace, protected: FakeDestination, address: str, sentence: str
) -> None:
    connected(site, protected)
    answer = post(site.administrator, PROXY, proxy_address=address)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert f'value="{address}"' in answer.text, "nothing typed is lost"
    found = active(site)
    assert found is not None
    assert found.proxy_address is None


def test_a_destination_is_connected_through_a_proxy_at_once(site: SimpleNamespace, protected: FakeDestination) -> None:
    with strange_proxy(leads_to(protected.port)) as strange:
        answer = upload(site.administrator, export(protected.connection()), proxy_address=strange.proxy().place)
    assert answer.status_code == 303
    assert strange.heads


def test_a_proxy_that_asks_who_it_is_is_named_when_connecting(
    site: SimpleNamespace, protected: FakeDestination
) -> None:
    with strange_proxy(says(b"HTTP/1.1 407 Who?\r\n\r\n")) as strange:
        place = strange.proxy().place
        answer = upload(
            site.administrator,
            export(protected.connection()),
            proxy_address=place,
            proxy_password="canary",
            proxy_user="u",
        )
    assert answer.status_code == 422
    assert "does not accept the name and password" in text_of(answer)
    assert f'value="{place}"' in answer.text
    assert "canary" not in answer.text


# --- rehearsing, and what the page says


@pytest.mark.feature("DST-7")
def test_a_rehearsal_at_any_time_keeps_what_came_of_it(site: SimpleNamespace, protected: FakeDestination) -> None:
    connected(site, protected)
    protected.script("GET", AUTH_PATH, status(401))
    answer = post(site.administrator, f"{DESTINATION}/rehearse")
    page = text_of(site.administrator.get(answer.headers["Location"]))
    for said in ("The rehearsal failed", "Authorization failed", "Export a new connection file", "Failed Sign in"):
        assert said in page
    answer = post(site.administrator, f"{DESTINATION}/rehearse")
    page = text_of(site.viewer.get(DESTINATION))
    assert "Okay since" in page
    assert "Last rehearsal: went well" in page


@pytest.mark.feature("DST-4")
def test_when_the_connection_fails_every_endpoint_is_listed_with_its_state(
    site: SimpleNamespace, protected: FakeDestination
) -> None:
    with closed_port() as port:
        dead = f"https://127.0.0.1:{port}/auth"
        alive = f"{protected.origin}{AUTH_PATH}"
        data = export(protected.connection(authentication_uris=(alive, dead)))
        assert upload(site.administrator, data).status_code == 303
        page = text_of(site.administrator.get(DESTINATION))
        assert f"Reached 127.0.0.1:{protected.port}" in page
        assert f"Not reached 127.0.0.1:{port}" in page
        assert "What firewalls have to let through" not in page, "it works"
        failure = DestinationUnreachable(
            addresses=f"127.0.0.1:{protected.port}, 127.0.0.1:{port}",
            reasons="destination-too-slow, destination-refuses-connection",
        )
        with site.database.write() as session:
            destinations.fails(session, session.scalars(select(Destination)).one(), failure)
    page = text_of(site.viewer.get(DESTINATION))
    assert "What firewalls have to let through" in page
    assert f"Not reached 127.0.0.1:{protected.port} no answer in time" in page
    assert f"Not reached 127.0.0.1:{port} no connection is accepted there" in page


@pytest.mark.feature("DST-4")
@pytest.mark.parametrize(
    ("code", "word", "what_to_do"),
    [
        (402, "Out of licences", "Add licences"),
        (503, "Busy", "it is tried again soon"),
        (507, "Full", "Make room"),
    ],
)
def test_what_keeps_a_destination_from_storing_has_the_manuals_name(
    site: SimpleNamespace, protected: FakeDestination, code: int, word: str, what_to_do: str
) -> None:
    connected(site, protected)
    protected.script("PUT", "bodyworn_rehearsal", *[status(code)] * 2)
    post(site.administrator, f"{DESTINATION}/rehearse")
    page = text_of(site.administrator.get(DESTINATION))
    assert f"{word} since" in page
    assert what_to_do in page


def test_nothing_is_offered_to_whoever_may_only_look(site: SimpleNamespace, protected: FakeDestination) -> None:
    connected(site, protected)
    with site.database.write() as session:
        destinations.fails(session, session.scalars(select(Destination)).one(), AuthorizationFailed())
    page = site.viewer.get(DESTINATION).text
    assert "Authorization failed" in page
    assert "<form" not in page.partition('<div class="bw">')[2]


# --- handing out connection files


@pytest.mark.feature("DST-2")
def test_an_exported_file_leads_to_this_host_with_the_name_that_was_entered(site: SimpleNamespace) -> None:
    assert 'value="North depot"' in site.administrator.get(DESTINATION).text
    address = "http://127.0.0.1:9/bodyworn/receiver/auth/v1.0"
    answer = post(site.administrator, f"{DESTINATION}/export", site_name="Harbour", address=address)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    file = parse(answer.data, allow_http=True)
    assert (file.site_name, file.authentication_uris) == ("Harbour", (address,))
    assert file.api_key.reveal() not in site.administrator.get(DESTINATION).text


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", "Enter the address"),
        ("https://127.0.0.1:9/auth", "Nothing shows a certificate"),
        ("https://[nonsense/auth", "Nothing shows a certificate"),
    ],
)
def test_an_export_that_cannot_work_says_why(site: SimpleNamespace, address: str, sentence: str) -> None:
    answer = post(site.administrator, f"{DESTINATION}/export", site_name="Kept", address=address)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert 'value="Kept"' in answer.text
