"""The client of a content destination, against a server that answers whatever it is told to."""

from __future__ import annotations

import hashlib
import io
import logging
import threading
import time
import traceback
from collections.abc import Iterator

import pytest
from bodyworn import errors
from bodyworn.destination.capabilities import Capabilities
from bodyworn.destination.client import Client
from bodyworn.destination.proof import Proof, ProofKind
from bodyworn.destination.secret import Secret
from certificates import self_signed
from cryptography.hazmat.primitives.asymmetric import ec
from fake_destination import (
    API_KEY,
    AUTH_PATH,
    Exchange,
    FakeDestination,
    Turn,
    body,
    closed_port,
    drip,
    early,
    garbage,
    lose_answer,
    nothing,
    silence,
    status,
)

CLIP = "20190101_090909_7CF7.mkv"
BODY = b"evidence" * 1000


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def put(client: Client, data: bytes = BODY, name: str = CLIP) -> Proof:
    return client.put_object("c", name, data, size_bytes=len(data), md5=md5(data), metadata={"StartTime": "1"})


@pytest.fixture
def fake() -> Iterator[FakeDestination]:
    with FakeDestination() as destination:
        destination.containers["c"] = {}
        yield destination


@pytest.fixture
def client(fake: FakeDestination) -> Iterator[Client]:
    client = Client(fake.connection(), timeout_seconds=5)
    yield client
    client.close()


@pytest.fixture
def hasty(fake: FakeDestination) -> Iterator[Client]:
    """A client with little patience."""
    client = Client(fake.connection(), timeout_seconds=1)
    client.sign_in()
    yield client
    client.close()


# --- what is sent and proved -----------------------------------------------------------------------------------------


@pytest.mark.feature("DST-1")
def test_a_matching_etag_verifies(client: Client, fake: FakeDestination) -> None:
    proof = client.put_object("c", CLIP, BODY, size_bytes=len(BODY), md5=md5(BODY), metadata={"StartTime": "Zoë +1"})
    assert (proof.kind, proof.md5, proof.size_bytes) == (ProofKind.VERIFIED, md5(BODY), len(BODY))
    sent = fake.seen("PUT")[0]
    assert sent.body == BODY
    assert (sent.headers["ETag"], sent.headers["If-None-Match"]) == (md5(BODY), "*")
    assert sent.headers["X-Object-Meta-StartTime"] == "Zo%C3%AB%20%2B1"
    remote = client.head_object("c", CLIP)
    assert remote is not None
    assert remote.metadata == {"starttime": "Zoë +1"}


def test_201_without_etag_only_acknowledges(client: Client, fake: FakeDestination) -> None:
    fake.etags = False
    proof = client.put_object("c", CLIP, BODY, size_bytes=len(BODY), md5=md5(BODY), metadata={})
    assert proof.kind is ProofKind.ACKNOWLEDGED
    assert not proof.verified


def test_a_wrong_etag_is_no_proof(client: Client, fake: FakeDestination) -> None:
    fake.script("PUT", CLIP, status(201, Etag="0" * 32))
    with pytest.raises(errors.EtagDiffers):
        put(client)


@pytest.mark.parametrize("etag", ['"abc-2"', "W/" + '"' + "0" * 32 + '"', "x"])
def test_an_etag_that_is_no_md5_says_nothing(client: Client, fake: FakeDestination, etag: str) -> None:
    fake.script("PUT", CLIP, status(201, Etag=etag))
    proof = client.put_object("c", CLIP, BODY, size_bytes=len(BODY), md5=md5(BODY), metadata={})
    assert proof.kind is ProofKind.ACKNOWLEDGED


def test_sending_again_after_a_lost_answer_verifies_what_is_there(client: Client, fake: FakeDestination) -> None:
    fake.script("PUT", CLIP, lose_answer)
    with pytest.raises(errors.DestinationHungUp):
        put(client)
    assert put(client).verified
    assert len(fake.seen("HEAD", CLIP)) == 1


def test_something_else_under_the_name_is_kept_and_reported(client: Client, fake: FakeDestination) -> None:
    put(client, b"theirs")
    with pytest.raises(errors.DifferentAtDestination):
        put(client, b"ours..")
    assert fake.objects[f"c/{CLIP}"].body == b"theirs"


def test_without_etags_only_another_length_tells_a_difference(client: Client, fake: FakeDestination) -> None:
    fake.etags = False
    put(client, b"theirs")
    with pytest.raises(errors.DifferentAtDestination):
        put(client, b"ours, longer")
    assert not put(client, b"theirs").verified


def test_verifying_what_is_not_there_says_so(client: Client) -> None:
    with pytest.raises(errors.MissingObject):
        client.verify_object("c", CLIP, size_bytes=1, md5=md5(b"x"))


def test_containers_are_made_merged_and_found(client: Client, fake: FakeDestination) -> None:
    client.put_container("u_1_20240101T000000Z", {"Status": "Transferring"})
    client.put_container("u_1_20240101T000000Z", {"BWCModel": "W"})
    client.post_container("u_1_20240101T000000Z", {"Status": "Complete"})
    assert client.head_container("u_1_20240101T000000Z") == {"status": "Complete", "bwcmodel": "W"}
    assert client.head_container("nobody") is None
    with pytest.raises(errors.MissingContainer):
        client.post_container("nobody", {"Status": "Complete"})


def test_object_metadata_is_replaced(client: Client) -> None:
    put(client)
    client.post_object("c", CLIP, {"Active": "False"})
    remote = client.head_object("c", CLIP)
    assert remote is not None
    assert remote.metadata == {"active": "False"}
    with pytest.raises(errors.MissingObject):
        client.post_object("c", "nothing", {})


@pytest.mark.parametrize("size_bytes", [0, 1, 1024 * 1024, 1024 * 1024 + 1])
def test_bodies_of_every_length_arrive_whole_with_progress(
    client: Client, fake: FakeDestination, size_bytes: int
) -> None:
    data, told = b"x" * size_bytes, list[int]()
    client.put_object(
        "c", CLIP, io.BytesIO(data), size_bytes=size_bytes, md5=md5(data), metadata={}, progress=told.append
    )
    assert fake.objects[f"c/{CLIP}"].body == data
    assert told == sorted(told)
    assert told[-1:] == ([size_bytes] if size_bytes else [])
    assert client.get_object("c", CLIP, limit_bytes=size_bytes + 1) == data


@pytest.mark.parametrize("said_bytes", [len(BODY) - 1, len(BODY) + 1])
def test_a_body_of_another_length_is_never_sent(client: Client, fake: FakeDestination, said_bytes: int) -> None:
    with pytest.raises(errors.BodyChanged):
        client.put_object("c", CLIP, io.BytesIO(BODY), size_bytes=said_bytes, md5=md5(BODY), metadata={})
    assert not fake.objects


def test_clips_too_large_for_any_swift_are_not_sent(client: Client, fake: FakeDestination) -> None:
    with pytest.raises(errors.TooLarge):
        client.put_object("c", CLIP, io.BytesIO(), size_bytes=5 * 1024**3 + 1, md5=md5(b""), metadata={})
    assert not fake.seen("PUT")


@pytest.mark.parametrize("name", ["", "a/b", "../x", ".hidden", "a\nb", "a:b", "x" * 256])
def test_names_that_the_wire_cannot_carry_are_refused(client: Client, fake: FakeDestination, name: str) -> None:
    with pytest.raises(errors.DestinationNameRefused):
        put(client, name=name)
    assert not fake.requests or not fake.seen("PUT")


# --- what each answer means ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (202, errors.NonsenseAnswer),
        (204, errors.NonsenseAnswer),
        (206, errors.NonsenseAnswer),
        (301, errors.RedirectRefused),
        (302, errors.RedirectRefused),
        (307, errors.RedirectRefused),
        (308, errors.RedirectRefused),
        (400, errors.Rejected),
        (402, errors.LicenceMissing),
        (403, errors.Forbidden),
        (404, errors.MissingContainer),
        (405, errors.NonsenseAnswer),
        (408, errors.DestinationFailed),
        (409, errors.DestinationFailed),
        (413, errors.TooLarge),
        (418, errors.NonsenseAnswer),
        (422, errors.EtagDiffers),
        (429, errors.Busy),
        (500, errors.DestinationFailed),
        (502, errors.DestinationFailed),
        (503, errors.Busy),
        (504, errors.DestinationFailed),
        (507, errors.DestinationFull),
        (599, errors.DestinationFailed),
    ],
)
@pytest.mark.parametrize("moment", [status, early])
def test_each_status_means_one_thing(
    client: Client, fake: FakeDestination, code: int, error: type[errors.BodywornError], moment: object
) -> None:
    turn: Turn = moment(code, Location=f"{fake.origin}/elsewhere")  # type: ignore[operator]
    fake.script("PUT", CLIP, turn)
    with pytest.raises(errors.BodywornError) as caught:
        put(client)
    assert type(caught.value) is error
    assert not fake.seen("PUT", "elsewhere")
    assert put(client).verified


@pytest.mark.parametrize("code", [400, 413, 422])
def test_what_is_said_of_content_means_nothing_where_none_was_sent(
    client: Client, fake: FakeDestination, code: int
) -> None:
    """A proxy that answers so must not make recordings count as refused for good."""
    fake.script("GET", AUTH_PATH, status(code))
    fake.script("HEAD", CLIP, status(code))
    fake.script("GET", CLIP, status(code))
    for asked in (client.sign_in, lambda: client.head_object("c", CLIP), lambda: client.get_object("c", CLIP)):
        with pytest.raises(errors.NonsenseAnswer):
            asked()


@pytest.mark.parametrize("code", [413, 422])
def test_only_bytes_can_be_too_many_or_arrive_changed(client: Client, fake: FakeDestination, code: int) -> None:
    fake.script("PUT", "c", status(code), status(code))
    with pytest.raises(errors.NonsenseAnswer):
        client.put_container("c", {})
    with pytest.raises(errors.NonsenseAnswer):
        put(client, b"")


@pytest.mark.parametrize("code", [400, 403, 405, 501])
def test_a_destination_that_knows_no_head_of_containers_tells_nothing_of_them(
    client: Client, fake: FakeDestination, code: int
) -> None:
    fake.script("HEAD", "/c", status(code))
    assert client.head_container("c") is None


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7), ("99999", 3600), ("soon", 0), ("-1", 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)]
)
def test_retry_after_is_heard(client: Client, fake: FakeDestination, value: str, seconds: float) -> None:
    fake.script("PUT", CLIP, status(503, Retry_After=value))
    with pytest.raises(errors.Busy) as caught:
        put(client)
    assert caught.value.retry_after_seconds == seconds


def test_an_answer_before_the_body_is_read_ends_the_sending_at_once(hasty: Client, fake: FakeDestination) -> None:
    """The server never reads the 64 MiB: without listening meanwhile, this would end in a time-out."""
    data = bytes(64 * 1024 * 1024)
    fake.script("PUT", CLIP, early(507, hold=True))
    with pytest.raises(errors.DestinationFull):
        put(hasty, data)
    assert put(hasty).verified


def test_success_before_the_body_is_read_is_no_success(client: Client, fake: FakeDestination) -> None:
    data = bytes(64 * 1024 * 1024)
    fake.script("PUT", CLIP, early(201, hold=True, Etag=md5(data)))
    with pytest.raises(errors.NonsenseAnswer):
        put(client, data)


@pytest.mark.parametrize(
    ("turn", "error"),
    [
        (nothing, errors.DestinationHungUp),
        (garbage(b"\x00\xff\x13 what?\r\n\r\n"), errors.NonsenseAnswer),
        (garbage(b"HTTP/1.1 banana\r\n\r\n"), errors.NonsenseAnswer),
        (garbage(b"HTTP/1.1 201 Created\r\n" + b"A: b\r\n" * 1000 + b"\r\n"), errors.NonsenseAnswer),
        (garbage(b"HTTP/1.1 201 Created\r\nA: " + b"b" * 70_000 + b"\r\n\r\n"), errors.NonsenseAnswer),
        (garbage(b"HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\nshort"), errors.DestinationHungUp),
        (body(201, b"x" * (1024 * 1024 + 1)), errors.NonsenseAnswer),
        (garbage(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), errors.NonsenseAnswer),
    ],
    ids=["nothing", "binary", "status", "headers", "long-header", "truncated", "huge", "chunks"],
)
def test_nonsense_is_never_success(
    client: Client, fake: FakeDestination, turn: Turn, error: type[errors.BodywornError]
) -> None:
    fake.script("PUT", CLIP, turn)
    with pytest.raises(error):
        put(client)
    assert put(client).verified


@pytest.mark.parametrize(
    "turn", [silence, drip(b"HTTP/1.1 201 Created\r\nEtag: x\r\n\r\n", 0.1)], ids=["silence", "drip"]
)
def test_a_destination_that_takes_forever_is_given_up(hasty: Client, fake: FakeDestination, turn: Turn) -> None:
    fake.script("PUT", CLIP, turn)
    began = time.monotonic()
    with pytest.raises(errors.DestinationTooSlow):
        put(hasty, bytes(32 * 1024 * 1024) if turn is silence else BODY)
    assert time.monotonic() - began < 8


def test_interim_answers_without_an_end_are_given_up(hasty: Client, fake: FakeDestination) -> None:
    def flood(exchange: Exchange) -> None:
        exchange.read_body()
        while not exchange.destination.released.is_set():
            exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)

    fake.script("PUT", CLIP, flood)
    with pytest.raises(errors.NonsenseAnswer):
        put(hasty)
    fake.script("PUT", CLIP, garbage(b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + b"HTTP/1.1 507 Full\r\n\r\n"))
    with pytest.raises(errors.DestinationFull):
        put(hasty)


def test_a_stolen_digest_of_a_download_is_noticed(client: Client, fake: FakeDestination) -> None:
    fake.script("GET", CLIP, body(200, b"changed", Etag=md5(b"original")))
    with pytest.raises(errors.EtagDiffers):
        client.get_object("c", CLIP)


# --- signing in ------------------------------------------------------------------------------------------------------


def test_a_token_that_ended_is_renewed_once_and_the_body_sent_again(client: Client, fake: FakeDestination) -> None:
    client.sign_in()
    fake.tokens.clear()
    assert put(client).verified
    assert len(fake.seen("GET", AUTH_PATH)) == 2


def test_a_token_that_ended_is_noticed_before_the_body_is_sent(client: Client, fake: FakeDestination) -> None:
    data = bytes(8 * 1024 * 1024)
    fake.script("PUT", CLIP, early(401))
    assert put(client, data).verified
    assert fake.objects[f"c/{CLIP}"].body == data


def test_a_new_token_that_is_refused_too_is_the_end(client: Client, fake: FakeDestination) -> None:
    fake.script("PUT", CLIP, status(401), status(401))
    with pytest.raises(errors.AuthorizationFailed):
        put(client)
    assert len(fake.seen("GET", AUTH_PATH)) == 2


def test_many_threads_renew_a_token_once(client: Client, fake: FakeDestination) -> None:
    client.sign_in()
    fake.tokens.clear()
    proofs: list[Proof] = []
    threads = [threading.Thread(target=lambda n=n: proofs.append(put(client, name=f"{n}.mkv"))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [proof.verified for proof in proofs] == [True] * 8
    assert len(fake.seen("GET", AUTH_PATH)) == 2


def test_a_wrong_key_fails_authorization(fake: FakeDestination) -> None:
    with pytest.raises(errors.AuthorizationFailed):
        Client(fake.connection(api_key=Secret("wrong"))).head_container("c")


def test_addresses_are_tried_in_order(fake: FakeDestination) -> None:
    with closed_port() as port:
        uris = (f"http://127.0.0.1:{port}/auth", f"{fake.origin}{AUTH_PATH}")
        assert Client(fake.connection(authentication_uris=uris)).head_container("c") == {}


def test_every_unreachable_address_is_listed(fake: FakeDestination) -> None:
    with closed_port() as one, closed_port() as other:
        uris = (f"http://127.0.0.1:{one}/auth", f"http://127.0.0.1:{other}/auth")
        with pytest.raises(errors.DestinationUnreachable, match=f"127.0.0.1:{one}, 127.0.0.1:{other}"):
            Client(fake.connection(authentication_uris=uris)).sign_in()


@pytest.mark.feature("DST-4")
def test_each_kind_of_unreachable_has_its_own_name(fake: FakeDestination) -> None:
    with closed_port() as port, pytest.raises(errors.DestinationRefusesConnection):
        Client(fake.connection(authentication_uris=(f"http://127.0.0.1:{port}/auth",))).sign_in()
    with pytest.raises(errors.DestinationNameUnknown):
        Client(fake.connection(authentication_uris=("http://destination.invalid/auth",))).sign_in()
    fake.script("GET", AUTH_PATH, silence, nothing)
    with pytest.raises(errors.DestinationTooSlow):
        Client(fake.connection(), timeout_seconds=0.2).sign_in()
    with pytest.raises(errors.DestinationHungUp):
        Client(fake.connection()).sign_in()


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"X-Auth-Token": "t"},
        {"X-Storage-Url": "{origin}/v1"},
        {"X-Auth-Token": "t" * 9000, "X-Storage-Url": "{origin}/v1"},
        {"X-Auth-Token": "ü", "X-Storage-Url": "{origin}/v1"},
    ],
)
def test_a_sign_in_without_both_headers_is_none(fake: FakeDestination, answer: dict[str, str]) -> None:
    headers = {name: value.format(origin=fake.origin) for name, value in answer.items()}
    fake.script("GET", AUTH_PATH, lambda exchange: exchange.answer(200, headers))
    with pytest.raises((errors.NonsenseAnswer, errors.StorageUrlRefused)):
        Client(fake.connection()).sign_in()


def test_a_redirected_sign_in_is_not_followed(fake: FakeDestination) -> None:
    fake.script("GET", AUTH_PATH, status(302, Location=f"{fake.origin}/elsewhere"))
    with pytest.raises(errors.RedirectRefused):
        Client(fake.connection()).sign_in()
    assert len(fake.requests) == 1


# --- certificates ----------------------------------------------------------------------------------------------------


def test_only_the_certificate_of_the_file_is_trusted() -> None:
    with FakeDestination(certificate=self_signed()) as fake:
        stranger = self_signed()
        with pytest.raises(errors.CertificateRefused):
            Client(fake.connection(anchors_pem=(stranger.pem,))).sign_in()
        with pytest.raises(errors.CertificateRefused):
            Client(fake.connection(anchors_pem=())).sign_in()
        assert not fake.requests


def test_another_certificate_later_is_refused_before_anything_is_sent() -> None:
    with FakeDestination(certificate=self_signed()) as fake:
        client = Client(fake.connection())
        client.sign_in()
        fake.show(self_signed())
        client.close()
        with pytest.raises(errors.CertificateRefused):
            client.put_container("c", {})
        assert not fake.seen("PUT")


@pytest.mark.parametrize("changes", [{"address": "127.0.0.2"}, {"days_left": -1}], ids=["other-name", "expired"])
def test_wrong_certificates_are_refused_with_the_reason(changes: dict[str, object]) -> None:
    certificate = self_signed(**changes)  # type: ignore[arg-type]
    with FakeDestination(certificate=certificate) as fake, pytest.raises(errors.CertificateRefused) as caught:
        Client(fake.connection()).sign_in()
    assert str(caught.value.values["reason"]) in str(caught.value)


def test_several_certificates_of_one_subject_and_serial_all_work() -> None:
    """Destinations make one such leaf for each of their addresses."""
    family = [self_signed(address, curve=ec.SECP521R1(), serial=1) for address in ("10.1.2.3", "127.0.0.1", "10.1.2.4")]
    with FakeDestination(certificate=family[1]) as fake:
        fake.containers["c"] = {}
        client = Client(fake.connection(anchors_pem=tuple(one.pem for one in family)))
        assert put(client).verified
        assert put(client, bytes(3 * 1024 * 1024), name="large.mkv").verified


def test_answers_before_the_body_is_read_are_heard_within_tls_too() -> None:
    with FakeDestination(certificate=self_signed()) as fake:
        client = Client(fake.connection(), timeout_seconds=5)
        fake.containers["c"] = {}
        fake.script("PUT", CLIP, early(507, hold=True))
        with pytest.raises(errors.DestinationFull):
            put(client, bytes(64 * 1024 * 1024))
        assert put(client).verified


def test_a_destination_that_stops_reading_within_tls_is_slow_and_not_broken() -> None:
    with FakeDestination(certificate=self_signed()) as fake:
        client = Client(fake.connection(), timeout_seconds=1)
        fake.script("PUT", CLIP, silence)
        with pytest.raises(errors.DestinationTooSlow):
            put(client, bytes(64 * 1024 * 1024))


def test_a_plain_server_at_an_https_address_is_named(fake: FakeDestination) -> None:
    uris = (f"https://127.0.0.1:{fake.port}{AUTH_PATH}",)
    with pytest.raises(errors.TlsFailed):
        Client(fake.connection(authentication_uris=uris, anchors_pem=(self_signed().pem,))).sign_in()


# --- capabilities and categories -------------------------------------------------------------------------------------


@pytest.mark.feature("DST-3")
def test_capabilities_are_believed_only_when_true(client: Client, fake: FakeDestination) -> None:
    fake.script(
        "GET",
        "System/Capabilities.json",
        body(200, b'{"Store": {"StoreBookmarks": true, "StoreSignedVideo": "true", "StoreUserIDKey": 1}, "Read": []}'),
        body(200, b"{"),
        body(200, b"[" * 100_000),
    )
    first = client.capabilities()
    assert first == Capabilities(bookmarks=True)
    assert not client.capabilities().bookmarks
    assert not client.capabilities().bookmarks
    assert not client.capabilities().bookmarks


def test_a_full_store_can_do_everything_without_being_asked(fake: FakeDestination) -> None:
    client = Client(fake.connection(full_store_and_read=True))
    assert client.capabilities().system_id
    assert not fake.requests
    assert [one.name for one in client.categories()][:2] == ["Testimony", "Disorderly Conduct"]


def test_categories_are_read_and_malformed_ones_said_so(client: Client, fake: FakeDestination) -> None:
    promised = body(200, b'{"Read": {"ReadCategories": true}}')
    fake.script("GET", "Capabilities.json", *[promised] * 4)
    fake.script(
        "GET",
        "Categories.json",
        body(200, b'[{"Name": "Traffic", "Id": "7"}]'),
        body(200, b'[{"Name": "Traffic", "Id": "7"},]'),
        body(200, b'[{"Name": "Traffic", "Id": 7}]'),
    )
    assert [(one.id, one.name) for one in client.categories()] == [("7", "Traffic")]
    for _ in range(3):
        with pytest.raises(errors.CategoriesMalformed):
            client.categories()


def test_without_the_capability_categories_are_the_built_in_ones(client: Client) -> None:
    assert len(client.categories()) == 10


# --- the key is never seen -------------------------------------------------------------------------------------------


TURNS = (status(401), early(503), nothing, garbage(b"?"), silence, status(302))


@pytest.mark.parametrize("turn", TURNS, ids=["401", "503", "nothing", "garbage", "silence", "302"])
def test_neither_key_nor_token_is_ever_shown(caplog: pytest.LogCaptureFixture, turn: Turn) -> None:
    caplog.set_level(logging.DEBUG)
    with FakeDestination(certificate=self_signed()) as fake:
        client = Client(fake.connection(), timeout_seconds=1)
        shown = [repr(client), repr(client.connection), repr(client.sign_in()), str(client.connection)]
        for method, path, attempt in (
            ("PUT", CLIP, lambda: put(client)),
            ("GET", AUTH_PATH, lambda: Client(fake.connection(), timeout_seconds=1).sign_in()),
        ):
            fake.script(method, path, turn, turn)
            with pytest.raises(errors.BodywornError) as caught:
                attempt()
            fake.behave_again()
            shown += [repr(caught.value.values), _with_locals(caught.value)]
        secrets = [API_KEY, *fake.tokens]
    everything = "\n".join([*shown, caplog.text])
    assert "X-Auth-Key" in everything
    assert not any(secret in everything for secret in secrets)


def _with_locals(error: BaseException | None) -> str:
    """Print an error and what led to it as a system that reports crashes would: with every variable on its way."""
    shown = ""
    while error is not None:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        shown += f"{error!r} {error}\n"
        shown += "\n".join(repr(frame.f_locals) for frame in frames if "/tests/" not in frame.f_code.co_filename)
        error = error.__cause__ or error.__context__
    return shown
