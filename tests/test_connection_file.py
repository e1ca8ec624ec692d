"""The connection file: every rule has its own refusal, which names the field and tells nothing of its value."""

from __future__ import annotations

import base64
import contextlib
import json
import pickle
from typing import Any

import pytest
from bodyworn import errors
from bodyworn.destination.connection_file import ConnectionFile, export, parse
from bodyworn.destination.secret import Secret
from certificates import self_signed
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings, strategies as st

CERTIFICATE = self_signed().pem
API_KEY = "canary-of-the-api-key"


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def public_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


RSA_3072 = public_pem(rsa.generate_private_key(65537, 3072))
RSA_2048 = public_pem(rsa.generate_private_key(65537, 2048))
RSA_1024 = public_pem(rsa.generate_private_key(65537, 1024))
NOT_RSA = public_pem(ec.generate_private_key(ec.SECP256R1()))

GOOD: dict[str, Any] = {
    "ConnectionFileVersion": "1.0",
    "SiteName": "Police Station North",
    "ApplicationName": "A Video Management System",
    "ApplicationVersion": "1.2.3",
    "ContentDestinationAsNTPServer": False,
    "AuthenticationTokenURI": ["https://10.0.0.1:8080/auth/v1.0"],
    "HTTPSCertificate": [encode(CERTIFICATE)],
    "BlobAPIKey": API_KEY,
    "BlobAPIUserName": "bwc:cam",
}
ENCRYPTING = {"WantEncryption": True, "PublicKey": encode(RSA_3072), "PublicKeyId": "key 1"}


def changed(**changes: object) -> bytes:
    """Encode the good file with some members changed; ``...`` takes one away."""
    members = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}
    return json.dumps(members).encode()


# --- what is accepted ------------------------------------------------------------------------------------------------


@pytest.mark.feature("SET-6")
def test_a_good_file_is_read_whole() -> None:
    read = parse(changed(**ENCRYPTING, ContainerType="mp4", FullStoreAndReadSupport=True))
    assert read == ConnectionFile(
        site_name="Police Station North",
        application_name="A Video Management System",
        application_version="1.2.3",
        authentication_uris=("https://10.0.0.1:8080/auth/v1.0",),
        anchors_pem=(CERTIFICATE,),
        user_name="bwc:cam",
        api_key=Secret(API_KEY),
        container_type="mp4",
        full_store_and_read=True,
        want_encryption=True,
        public_key_pem=RSA_3072,
        public_key_id="key 1",
    )


def test_what_is_optional_has_its_default() -> None:
    read = parse(changed(ContentDestinationAsNTPServer=...))
    assert not read.ntp_server
    assert (read.container_type, read.full_store_and_read, read.want_encryption) == ("mkv", False, False)
    assert read.public_key_pem is None


@pytest.mark.parametrize(
    "changes",
    [
        {"Unknown": {"deep": [1]}},
        {"BlobAPI": "Swift 1.0"},
        {"ContainerType": None},
        {"WantEncryption": None, "PublicKey": "", "PublicKeyId": ""},
        {"PublicKey": "broken, but nobody asked for encryption"},
        {"SiteName": "Полиция ‌警察 Zoë"},
        {"AuthenticationTokenURI": [f"https://[2001:db8::{number}]/auth" for number in range(10)]},
    ],
)
def test_harmless_differences_are_accepted(changes: dict[str, object]) -> None:
    parse(changed(**changes))


def test_certificates_may_come_as_pem_or_der_and_with_broken_lines() -> None:
    der = x509.load_pem_x509_certificate(CERTIFICATE).public_bytes(Encoding.DER)
    read = parse(changed(HTTPSCertificate=[encode(der), base64.encodebytes(CERTIFICATE).decode()]))
    assert read.anchors_pem == (CERTIFICATE, CERTIFICATE)


def test_nothing_but_certificates_is_kept_of_the_certificates() -> None:
    both = self_signed()
    read = parse(changed(HTTPSCertificate=[encode(both.key_pem + both.pem)]))
    assert read.anchors_pem == (both.pem,)


def test_a_byte_order_mark_is_tolerated() -> None:
    assert parse(b"\xef\xbb\xbf" + changed()).site_name == "Police Station North"


@pytest.mark.parametrize(
    ("field", "length"),
    [
        ("SiteName", 64),
        ("ApplicationName", 256),
        ("ApplicationVersion", 128),
        ("BlobAPIKey", 64),
        ("BlobAPIUserName", 64),
    ],
)
def test_texts_may_be_as_long_as_the_rule_says_and_no_longer(field: str, length: int) -> None:
    parse(changed(**{field: "ä" * length}))
    with pytest.raises(errors.ConnectionFieldTooLong, match=field):
        parse(changed(**{field: "ä" * (length + 1)}))


def test_a_file_may_have_64_kib_and_no_more() -> None:
    data = changed()
    parse(data + b" " * (64 * 1024 - len(data)))
    with pytest.raises(errors.ConnectionFileTooLarge):
        parse(data + b" " * (64 * 1024 - len(data) + 1))


def test_plain_http_is_for_this_machine_or_those_who_ask_for_it() -> None:
    for host in ("127.0.0.1:8080", "[::1]:8080", "localhost"):
        assert parse(changed(AuthenticationTokenURI=[f"http://{host}/auth"], HTTPSCertificate=...)).anchors_pem == ()
    elsewhere = changed(AuthenticationTokenURI=["http://10.0.0.1/auth"], HTTPSCertificate=[])
    with pytest.raises(errors.ConnectionUnprotected, match="AuthenticationTokenURI 1"):
        parse(elsewhere)
    assert parse(elsewhere, allow_http=True).anchors_pem == ()


def test_short_keys_are_warned_about() -> None:
    assert parse(changed(**ENCRYPTING)).warnings == ()
    warning = parse(changed(**ENCRYPTING | {"PublicKey": encode(RSA_2048)})).warnings
    assert [type(one) for one in warning] == [errors.ConnectionKeyWeak]
    assert "2048" in str(warning[0])


# --- what is refused -------------------------------------------------------------------------------------------------

REFUSALS: list[tuple[dict[str, object], type[errors.ConnectionFileRefused], str]] = [
    ({"ConnectionFileVersion": ...}, errors.ConnectionFieldMissing, "ConnectionFileVersion"),
    ({"ConnectionFileVersion": "2.0"}, errors.ConnectionFileVersionUnknown, "2.0"),
    ({"ConnectionFileVersion": 1.0}, errors.ConnectionFieldOfWrongType, "ConnectionFileVersion"),
    ({"SiteName": ...}, errors.ConnectionFieldMissing, "SiteName"),
    ({"SiteName": ""}, errors.ConnectionFieldMissing, "SiteName"),
    ({"SiteName": None}, errors.ConnectionFieldMissing, "SiteName"),
    ({"SiteName": ["x"]}, errors.ConnectionFieldOfWrongType, "SiteName"),
    ({"SiteName": "two\nlines"}, errors.ConnectionFieldHasControlCharacters, "SiteName"),
    ({"ApplicationName": ...}, errors.ConnectionFieldMissing, "ApplicationName"),
    ({"ApplicationVersion": ...}, errors.ConnectionFieldMissing, "ApplicationVersion"),
    ({"BlobAPIKey": ...}, errors.ConnectionFieldMissing, "BlobAPIKey"),
    ({"BlobAPIKey": "a\r\nX-Injected: 1"}, errors.ConnectionFieldHasControlCharacters, "BlobAPIKey"),
    ({"BlobAPIUserName": ""}, errors.ConnectionFieldMissing, "BlobAPIUserName"),
    ({"BlobAPIUserName": "a\x00"}, errors.ConnectionFieldHasControlCharacters, "BlobAPIUserName"),
    ({"BlobAPI": "S3"}, errors.ConnectionFieldNotAChoice, "BlobAPI"),
    ({"ContentDestinationAsNTPServer": "yes"}, errors.ConnectionFieldOfWrongType, "ContentDestinationAsNTPServer"),
    ({"FullStoreAndReadSupport": 1}, errors.ConnectionFieldOfWrongType, "FullStoreAndReadSupport"),
    ({"ContainerType": "avi"}, errors.ConnectionFieldNotAChoice, "ContainerType"),
    ({"ContainerType": 1}, errors.ConnectionFieldOfWrongType, "ContainerType"),
    ({"AuthenticationTokenURI": ...}, errors.ConnectionFieldMissing, "AuthenticationTokenURI"),
    ({"AuthenticationTokenURI": []}, errors.ConnectionFieldMissing, "AuthenticationTokenURI"),
    ({"AuthenticationTokenURI": [""]}, errors.ConnectionFieldMissing, "AuthenticationTokenURI 1"),
    ({"AuthenticationTokenURI": "https://10.0.0.1/"}, errors.ConnectionFieldOfWrongType, "AuthenticationTokenURI"),
    ({"AuthenticationTokenURI": ["https://a/"] * 11}, errors.ConnectionListTooLong, "AuthenticationTokenURI"),
    ({"AuthenticationTokenURI": ["https://a/" + "x" * 503]}, errors.ConnectionFieldTooLong, "AuthenticationTokenURI 1"),
    ({"AuthenticationTokenURI": ["https://a/", 7]}, errors.ConnectionFieldOfWrongType, "AuthenticationTokenURI 2"),
    ({"AuthenticationTokenURI": ["https://a/", "http://a/"]}, errors.ConnectionMixesHttp, "AuthenticationTokenURI 2"),
    ({"HTTPSCertificate": ...}, errors.ConnectionCertificateMissing, "AuthenticationTokenURI 1"),
    ({"HTTPSCertificate": []}, errors.ConnectionCertificateMissing, "AuthenticationTokenURI 1"),
    ({"HTTPSCertificate": encode(CERTIFICATE)}, errors.ConnectionFieldOfWrongType, "HTTPSCertificate"),
    ({"HTTPSCertificate": [encode(CERTIFICATE)] * 11}, errors.ConnectionListTooLong, "HTTPSCertificate"),
    ({"HTTPSCertificate": ["A" * (16 * 1024 + 4)]}, errors.ConnectionFieldTooLong, "HTTPSCertificate 1"),
    ({"HTTPSCertificate": ["not base64!"]}, errors.ConnectionFieldNotBase64, "HTTPSCertificate 1"),
    ({"HTTPSCertificate": [CERTIFICATE.decode()]}, errors.ConnectionFieldNotBase64, "HTTPSCertificate 1"),
    ({"HTTPSCertificate": [encode(b"no certificate")]}, errors.ConnectionCertificateUnreadable, "HTTPSCertificate 1"),
    ({"HTTPSCertificate": [encode(CERTIFICATE), "AAAA"]}, errors.ConnectionCertificateUnreadable, "HTTPSCertificate 2"),
    ({"WantEncryption": "true"}, errors.ConnectionFieldOfWrongType, "WantEncryption"),
    ({"WantEncryption": True}, errors.ConnectionKeyMissing, "PublicKey"),
    (ENCRYPTING | {"PublicKey": ""}, errors.ConnectionKeyMissing, "PublicKey"),
    (ENCRYPTING | {"PublicKeyId": ...}, errors.ConnectionKeyMissing, "PublicKeyId"),
    (ENCRYPTING | {"PublicKeyId": ""}, errors.ConnectionKeyMissing, "PublicKeyId"),
    (ENCRYPTING | {"PublicKeyId": "x" * 129}, errors.ConnectionFieldTooLong, "PublicKeyId"),
    (ENCRYPTING | {"PublicKey": "A" * 2052}, errors.ConnectionFieldTooLong, "PublicKey"),
    (ENCRYPTING | {"PublicKey": "%%%"}, errors.ConnectionFieldNotBase64, "PublicKey"),
    (ENCRYPTING | {"PublicKey": encode(b"no key")}, errors.ConnectionKeyUnreadable, "PublicKey"),
    (ENCRYPTING | {"PublicKey": encode(NOT_RSA)}, errors.ConnectionKeyUnreadable, "PublicKey"),
    (ENCRYPTING | {"PublicKey": encode(RSA_1024)}, errors.ConnectionKeyTooShort, "1024"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "error", "named"), REFUSALS)
def test_each_broken_rule_has_its_own_refusal(
    changes: dict[str, object], error: type[errors.ConnectionFileRefused], named: str
) -> None:
    with pytest.raises(errors.ConnectionFileRefused) as caught:
        parse(changed(**changes))
    assert type(caught.value) is error
    assert named in str(caught.value)
    assert caught.value.mend
    assert API_KEY not in f"{caught.value!r} {caught.value} {caught.value.values}"


@pytest.mark.parametrize(
    "uri",
    [
        "ftp://10.0.0.1/auth",
        "file:///etc/passwd",
        "https:///auth",
        "https://:8080/auth",
        "https://user@10.0.0.1/auth",
        "https://user:secret@10.0.0.1/auth",
        "https://10.0.0.1:99999/auth",
        "https://10.0.0.1:0/auth",
        "https://10.0.0.1:x/auth",
        "https://10.0.0.1/auth?key=1",
        "https://10.0.0.1/auth#top",
        "https://10.0.0.1/../auth",
        "https://10.0.0.1/%2e%2e/auth",
        "https://10.0.0.1/a b",
        "https://10.0.0.1\\@elsewhere/auth",
        "https://[::1/auth",
        "https://[fe80::1%25eth0]/auth",
        "https://exämple/auth",
        "https://a..b/auth",
        "https://-a/auth",
        "//10.0.0.1/auth",
        "10.0.0.1/auth",
    ],
)
def test_addresses_that_are_not_plainly_addresses_are_refused(uri: str) -> None:
    with pytest.raises(errors.ConnectionAddressRefused, match="AuthenticationTokenURI 1"):
        parse(changed(AuthenticationTokenURI=[uri]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe{\x00}\x00",
        b'{"SiteName": "\xff"}',
        b'{"a": NaN}',
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"{'SiteName': 1}",
        b'{"SiteName": 1,}',
    ],
    ids=str,
)
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    with pytest.raises(errors.ConnectionFileNotJson):
        parse(data)


#: What stands for a member: anything that JSON has, and what the interface puts there, only not quite.
_VALUES = [
    *(None, True, False, 0, 1, -1, 2**70, 1.5, "", " ", "\x00", "\ud800", "\u202e", "1.0", "1.1", "mkv", "mp4", "avi"),
    *("x" * 64, "x" * 65, "x" * 513, "A" * 2048, "A" * 2049, "====", "AAAA", "Swift 1.0", {}, {"a": []}),
    *(encode(RSA_2048), encode(RSA_1024), encode(NOT_RSA), encode(CERTIFICATE), encode(b"-----BEGIN CERTIFICATE-----")),
    *([], [None], [""], [[]], [1], ["x"] * 10, ["x"] * 11, [encode(CERTIFICATE)] * 2, [encode(RSA_2048)]),
    *(["http://127.0.0.1/a"], ["http://10.0.0.1/a"], ["https://10.0.0.1/a", "https://b/c"], ["https://u@10.0.0.1/"]),
]
_MEMBER = st.tuples(
    st.sampled_from(sorted({**GOOD, **ENCRYPTING, "ContainerType": 1, "BlobAPI": 1, "Unknown": 1})),
    st.sampled_from(_VALUES),
)
_MEMBERS = st.lists(_MEMBER, min_size=1, max_size=2).map(dict)
#: A cut within a whole file, and what is put in its place.
_EDITS = st.tuples(st.integers(0, 6000), st.integers(0, 40), st.binary(max_size=12))


def _edited(edit: tuple[int, int, bytes]) -> bytes:
    start, length, put = edit
    whole = changed(**ENCRYPTING)
    start %= len(whole)
    return whole[:start] + put + whole[start + length :]


_FILES = (
    st.binary(max_size=100)
    | _EDITS.map(_edited)
    | st.builds(lambda encrypts, members: changed(**encrypts | members), st.sampled_from([{}, ENCRYPTING]), _MEMBERS)
)
_PRESENT = parse(changed(**ENCRYPTING))


def _parsed(data: bytes) -> ConnectionFile | errors.ConnectionFileRefused:
    try:
        return parse(data)
    except errors.ConnectionFileRefused as refusal:
        return refusal


@pytest.mark.feature("SET-6")
@settings(max_examples=10_000, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(_FILES)
def test_whatever_comes_is_read_under_every_rule_or_refused_in_our_words(data: bytes) -> None:
    """10,000 files: what is accepted says the same when it is written again, and a later file turns nothing off."""
    accepted = _parsed(data)
    if isinstance(accepted, errors.ConnectionFileRefused):
        assert API_KEY not in f"{accepted} {accepted.advice} {accepted.values}"
        return
    assert all(uri.startswith(("https://", "http://127.0.0.1")) for uri in accepted.authentication_uris)
    assert parse(export(accepted)) == accepted
    with contextlib.suppress(errors.ConnectionFileRefused):
        later = parse(data, previous=_PRESENT)
        assert (later.want_encryption, later.container_type) == (True, "mkv")


# --- a later file for the same destination ---------------------------------------------------------------------------


def test_encryption_and_full_store_are_never_turned_off() -> None:
    encrypting, full = parse(changed(**ENCRYPTING)), parse(changed(FullStoreAndReadSupport=True))
    with pytest.raises(errors.EncryptionTurnedOff):
        parse(changed(), previous=encrypting)
    with pytest.raises(errors.FullStoreTurnedOff):
        parse(changed(), previous=full)
    assert parse(changed(**ENCRYPTING), previous=parse(changed())).want_encryption
    assert parse(changed(FullStoreAndReadSupport=True), previous=parse(changed())).full_store_and_read


def test_the_container_type_never_changes() -> None:
    with pytest.raises(errors.ContainerTypeChanged, match="from mkv to mp4"):
        parse(changed(ContainerType="mp4"), previous=parse(changed()))


@pytest.mark.feature("DST-5")
def test_everything_else_may_change() -> None:
    previous = parse(changed(**ENCRYPTING))
    new = parse(
        changed(
            **ENCRYPTING | {"PublicKey": encode(RSA_2048), "PublicKeyId": "key 2"},
            SiteName="New",
            ApplicationName="New",
            ApplicationVersion="2",
            AuthenticationTokenURI=["https://10.0.0.2/auth"],
            HTTPSCertificate=[encode(self_signed().pem)],
            BlobAPIKey="new",
            BlobAPIUserName="new",
            ContentDestinationAsNTPServer=True,
        ),
        previous=previous,
    )
    assert new.public_key_id == "key 2"


# --- a file that is handed out ---------------------------------------------------------------------------------------


@pytest.mark.feature("DST-2")
@pytest.mark.parametrize("changes", [{}, {**ENCRYPTING, "ContainerType": "mp4", "FullStoreAndReadSupport": True}])
def test_what_is_exported_reads_back_the_same(changes: dict[str, object]) -> None:
    connection = parse(changed(**changes))
    assert parse(export(connection)) == connection


def test_a_key_without_encryption_is_never_exported() -> None:
    exported = export(parse(changed(PublicKey=encode(RSA_3072), PublicKeyId="key 1")))
    assert not {"PublicKey", "PublicKeyId"} & json.loads(exported).keys()


def test_nothing_is_exported_that_would_be_refused() -> None:
    connection = ConnectionFile(
        site_name="x" * 65,
        application_name="a",
        application_version="1",
        authentication_uris=("http://127.0.0.1/auth",),
        user_name="u",
        api_key=Secret("k"),
    )
    with pytest.raises(errors.ConnectionFieldTooLong):
        export(connection)


def test_the_api_key_is_never_shown() -> None:
    connection = parse(changed())
    assert API_KEY not in f"{connection!r} {connection} {connection.api_key!r} {connection.api_key}"
    assert connection.api_key.reveal() == API_KEY
    with pytest.raises(TypeError):
        pickle.dumps(connection.api_key)
