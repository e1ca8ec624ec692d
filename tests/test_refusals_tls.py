"""Whatever a server shows that is not what the connection file pins: no connection, and nothing is ever sent.

The addresses that are refused are in ``test_rehearsal`` (storage) and ``test_connection_file`` (sign-in).
"""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bodyworn import errors
from bodyworn.destination.client import Client
from certificates import self_signed
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fake_destination import AUTH_PATH, FakeDestination

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
HERE: x509.GeneralName = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Card:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


@dataclass(frozen=True)
class Shown:
    """What a server shows, first its own; the connection file pins the anchors. Stands in for a ``Certificate``."""

    chain: tuple[Card, ...]
    anchors: tuple[Card, ...]
    change: Callable[[ssl.SSLContext], None] = lambda _: None

    @property
    def pem(self) -> bytes:
        return b"".join(card.pem for card in self.anchors)

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # weak certificates are shown as well
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        key = self.chain[0].key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "all.pem"
            path.write_bytes(key + b"".join(card.pem for card in self.chain))
            context.load_cert_chain(path)
        self.change(context)
        return context


def card(
    name: str = "destination",
    *,
    by: Card | None = None,
    key: Key | None = None,
    ca: bool = False,
    path_length: int | None = None,
    names: tuple[x509.GeneralName, ...] | None = (HERE,),
    begins: datetime = NOW - DAY,
    ends: datetime = NOW + DAY,
    issuer: str | None = None,
    serial: int | None = None,
    extra: tuple[x509.ExtensionType, ...] = (),
) -> Card:
    """Make a certificate, signed by another or by itself."""
    own_key = key or ec.generate_private_key(ec.SECP256R1())
    signer = by.key if by else own_key
    signer_name = by.certificate.subject if by else _named(issuer or name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(signer_name)
        .public_key(own_key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
    )
    if names and not ca:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    for extension in extra:
        builder = builder.add_extension(extension, critical=True)
    return Card(builder.sign(signer, SHA256()), own_key)


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def pinned(shown: Card) -> Shown:
    """Show exactly what is pinned."""
    return Shown((shown,), (shown,))


AUTHORITY = card("authority", ca=True)
OTHER_AUTHORITY = card("authority", ca=True)
LEAF = card()
WEAK = rsa.generate_private_key(65537, 1024)


def _below(*cards: Card) -> Shown:
    return Shown(cards, (AUTHORITY,))


def _intermediate(**changes: object) -> Card:
    return card("between", **{"by": AUTHORITY, "ca": True, **changes})  # type: ignore[arg-type]


def _address(text: str) -> tuple[x509.GeneralName, ...]:
    return (x509.IPAddress(ipaddress.ip_address(text)),)


def _dns(text: str) -> tuple[x509.GeneralName, ...]:
    return (x509.DNSName(text),)


NOT_OURS = x509.NameConstraints([x509.IPAddress(ipaddress.ip_network("10.0.0.0/8"))], None)
FOR_CLIENTS = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH])
FOR_MAIL = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION])
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
SIGNS_NOTHING = x509.KeyUsage(
    *[False] * 5, key_cert_sign=False, crl_sign=True, encipher_only=False, decipher_only=False
)
SHORT = _intermediate(path_length=0)
SECOND = card("second", by=SHORT, ca=True)
BETWEEN = _intermediate()

SELF_SIGNED = "self-signed certificate"
ELSEWHERE = "IP address mismatch"
EXPIRED = "certificate has expired"
NO_AUTHORITY = "invalid CA certificate"
PURPOSE = "unsuitable certificate purpose"
UNKNOWN_ISSUER = "unable to get local issuer certificate"


def _through(between: Card) -> Shown:
    return _below(card(by=between), between)


#: Why OpenSSL refuses it, and what is shown.
REFUSED: dict[str, tuple[str, Shown]] = {
    "a stranger's": (SELF_SIGNED, Shown((card(),), (LEAF,))),
    "a stranger's of the same name and number": (SELF_SIGNED, Shown((card(serial=7),), (card(serial=7),))),
    "nothing is pinned": (SELF_SIGNED, Shown((LEAF,), ())),
    "renewed with the same key, and not uploaded": (SELF_SIGNED, Shown((card(key=LEAF.key),), (LEAF,))),
    "ended": (EXPIRED, pinned(card(ends=NOW - timedelta(minutes=1)))),
    "not valid yet": ("certificate is not yet valid", pinned(card(begins=NOW + DAY, ends=NOW + 2 * DAY))),
    "of another address": (ELSEWHERE, pinned(card(names=_address("127.0.0.2")))),
    "of the address in version 6": (ELSEWHERE, pinned(card(names=_address("::ffff:127.0.0.1")))),
    "of a name instead of the address": (ELSEWHERE, pinned(card(names=_dns("destination.example")))),
    "with the address as if it were a name": (ELSEWHERE, pinned(card(names=_dns("127.0.0.1")))),
    "for every name": (ELSEWHERE, pinned(card(names=_dns("*")))),
    "for all names below 1": (ELSEWHERE, pinned(card(names=_dns("*.0.0.1")))),
    "with the address as its subject alone": (ELSEWHERE, pinned(card("127.0.0.1", names=None))),
    "with the address in a link": (ELSEWHERE, pinned(card(names=(x509.UniformResourceIdentifier("https://127.0.0.1/"),)))),
    "with a mail address": (ELSEWHERE, pinned(card(names=(x509.RFC822Name("bwc@destination.example"),)))),
    "for clients": (PURPOSE, pinned(card(extra=(FOR_CLIENTS,)))),
    "for mail": (PURPOSE, pinned(card(extra=(FOR_MAIL,)))),
    "with a demand that nobody knows": ("unhandled critical extension", pinned(card(extra=(UNKNOWN,)))),
    "with a key that can be broken": ("EE certificate key too weak", pinned(card(key=WEAK))),
    "below another authority": (UNKNOWN_ISSUER, _below(card(by=card("elsewhere", ca=True)))),
    "below an authority of the same name": ("certificate signature failure", _below(card(by=OTHER_AUTHORITY))),
    "below a pinned one that is no authority": (NO_AUTHORITY, Shown((card("below", by=LEAF), LEAF), (LEAF,))),
    "below one that is missing": (UNKNOWN_ISSUER, _below(card(by=BETWEEN))),
    "below one that is no authority": (NO_AUTHORITY, _through(_intermediate(ca=False))),
    "below one that ended": (EXPIRED, _through(_intermediate(ends=NOW - timedelta(minutes=1)))),
    "below one that may not sign": (NO_AUTHORITY, _through(_intermediate(extra=(SIGNS_NOTHING,)))),
    "below one with a weak key": ("CA certificate key too weak", _through(_intermediate(key=WEAK))),
    "below one for other addresses": ("permitted subtree violation", _through(_intermediate(extra=(NOT_OURS,)))),
    "too far below": ("path length constraint exceeded", _below(card(by=SECOND), SECOND, SHORT)),
    "the authority's own name on a leaf": (SELF_SIGNED, Shown((card("authority", issuer="authority"),), (AUTHORITY,))),
}  # fmt: skip


@pytest.mark.feature("DST-1")
@pytest.mark.parametrize(("reason", "shown"), REFUSED.values(), ids=REFUSED.keys())
def test_a_certificate_that_is_not_pinned_or_not_right_ends_it_before_a_word_is_said(reason: str, shown: Shown) -> None:
    with FakeDestination(certificate=shown) as fake:  # type: ignore[arg-type]
        client = Client(fake.connection(anchors_pem=(shown.pem,) if shown.anchors else ()), timeout_seconds=5)
        with pytest.raises(errors.CertificateRefused) as caught:
            client.sign_in()
        assert fake.requests == []
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "shown",
    [pinned(LEAF), _below(card(by=AUTHORITY)), _below(card(by=BETWEEN), BETWEEN), Shown((LEAF,), (AUTHORITY, LEAF))],
    ids=["pinned", "below the pinned authority", "two below it", "one of several"],
)
def test_what_is_pinned_or_stands_below_it_is_trusted(shown: Shown) -> None:
    with FakeDestination(certificate=shown) as fake:  # type: ignore[arg-type]
        assert Client(fake.connection(anchors_pem=(shown.pem,)), timeout_seconds=5).sign_in()


def _oldest(version: ssl.TLSVersion) -> Callable[[ssl.SSLContext], None]:
    def change(context: ssl.SSLContext) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = version

    return change


def _only(ciphers: str) -> Callable[[ssl.SSLContext], None]:
    def change(context: ssl.SSLContext) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)

    return change


def _ask_for_ours(context: ssl.SSLContext) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED


BROKEN: dict[str, Callable[[ssl.SSLContext], None]] = {
    "TLS 1.0": _oldest(ssl.TLSVersion.TLSv1),
    "TLS 1.1": _oldest(ssl.TLSVersion.TLSv1_1),
    "no certificate at all": _only("aNULL:@SECLEVEL=0"),
    "no encryption": _only("eNULL:@SECLEVEL=0"),
    "a certificate of ours is asked for": _ask_for_ours,
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_protection_that_is_none_is_refused(change: Callable[[ssl.SSLContext], None]) -> None:
    with FakeDestination(certificate=replace(pinned(LEAF), change=change)) as fake:  # type: ignore[arg-type]
        with pytest.raises(errors.TlsFailed) as caught:
            Client(fake.connection(anchors_pem=(LEAF.pem,)), timeout_seconds=5).sign_in()
        assert fake.requests == []
    assert "_ssl.c" not in str(caught.value), "where the library found it is for nobody's eyes"


def test_a_server_without_tls_never_hears_the_key() -> None:
    with FakeDestination() as fake:
        uris = (f"https://127.0.0.1:{fake.port}{AUTH_PATH}",)
        with pytest.raises(errors.TlsFailed):
            Client(fake.connection(authentication_uris=uris, anchors_pem=(self_signed().pem,))).sign_in()
        assert fake.requests == []
