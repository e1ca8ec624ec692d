"""Uploaded certificates: each kind of wrong file is refused with its own reason, and nothing else can come out."""

from __future__ import annotations

import base64
import subprocess
from datetime import UTC, datetime, timedelta
from functools import cache

import certificate_parts as parts
import pytest
from bodyworn.crypto import certificate_making, certificates
from bodyworn.crypto.certificate_making import Values, is_name
from bodyworn.errors import (
    CertificateChainBroken,
    CertificateChainTooLong,
    CertificateExpired,
    CertificateHoldsPrivateKey,
    CertificateKeyWeak,
    CertificateMissing,
    CertificateNotForServers,
    CertificateNotYetValid,
    CertificateOfAuthority,
    CertificateOfOtherKey,
    CertificateSignatureWeak,
    CertificateTooLarge,
    CertificateUnreadable,
    ServerCertificateRefused,
)
from certificate_parts import DER, NOW, PEM, certificate, intermediate, key, leaf, own, own_key, root
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import example, given, settings, strategies as st

pytestmark = pytest.mark.feature("CRT-1")


@cache
def ours() -> list[bytes]:
    """The public halves of the keys that are here."""
    return [certificate_making.public_key(own_key())]


def accept(data: bytes, now: datetime = NOW) -> certificates.Accepted:
    return certificates.accept(data, ours(), now=now)


def order_of(accepted: certificates.Accepted) -> list[str]:
    """Subjects from the leaf upwards."""
    found = certificates.facts(accepted.pem)
    return [found.subject, *found.chain]


@cache
def leaf_pem() -> bytes:
    return leaf().pem


def request_pem() -> bytes:
    return certificate_making.signing_request(own_key(), parts.self_signed())


def wrapped(der: bytes, label: str = "CERTIFICATE") -> bytes:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(der).decode()}-----END {label}-----\n".encode()


FULL = ["depot.example.org", "Example Issuing CA", "Example Root CA"]
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
TAKEN = {
    "the leaf alone, as PEM": lambda: (leaf().pem, FULL[:1]),
    "the leaf alone, as DER": lambda: (leaf().der, FULL[:1]),
    "leaf and authority": lambda: (leaf().pem + intermediate().pem, FULL[:2]),
    "the whole chain": lambda: (leaf().pem + intermediate().pem + root().pem, FULL),
    "the chain upside down": lambda: (root().pem + intermediate().pem + leaf().pem, FULL),
    "the chain with the leaf in the middle": lambda: (intermediate().pem + leaf().pem + root().pem, FULL),
    "the authority twice": lambda: (leaf().pem + intermediate().pem * 2, FULL[:2]),
    "words around the PEM": lambda: (b"Bag Attributes\n  friendlyName: x\n" + leaf().pem + b"\nbye\n", FULL[:1]),
    "line ends of Windows": lambda: (leaf().pem.replace(b"\n", b"\r\n"), FULL[:1]),
    "spaces at the end": lambda: (leaf().pem + b"   \n\n", FULL[:1]),
    "self-signed with our key": lambda: (parts.self_signed(), FULL[:1]),
    "signed with SHA-384": lambda: (leaf(digest=hashes.SHA384()).pem, FULL[:1]),
    "signed with SHA-512": lambda: (leaf(digest=hashes.SHA512()).pem, FULL[:1]),
    "signed by the root itself": lambda: (leaf(issuer=root()).pem + root().pem, [FULL[0], FULL[2]]),
    "without any purpose": lambda: (leaf(purposes=None).pem, FULL[:1]),
    "for any purpose": lambda: (leaf(purposes=[ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]).pem, FULL[:1]),
    "for clients and servers": lambda: (
        leaf(purposes=[ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]).pem,
        FULL[:1],
    ),
    "without constraints": lambda: (leaf(ca=None).pem, FULL[:1]),
    "without names": lambda: (leaf(names=()).pem, FULL[:1]),
    "with key usage": lambda: (leaf(usage=True).pem, FULL[:1]),
    "with an extension nobody knows": lambda: (
        leaf(
            extra=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00"), False)]
        ).pem,
        FULL[:1],
    ),
    "below a root that signed itself with SHA-1": lambda: (leaf(issuer=old_root()).pem + old_root().pem, None),
    "valid for ten years": lambda: (leaf(days=(-10, 3650)).pem, FULL[:1]),
    "in its first second": lambda: (leaf(days=(0, 10)).pem, FULL[:1]),
    "in its last second": lambda: (leaf(days=(-10, 0)).pem, FULL[:1]),
    "padded to the limit": lambda: (leaf().pem.ljust(certificates.LIMIT_BYTES, b"\n"), FULL[:1]),
}


def old_root() -> parts.Made:
    return parts.signed_with_sha1("Old Root", None, ca=True)


def authority(kind: str, **changes: object) -> parts.Made:
    return certificate(f"CA on {kind}", key(kind), root(), ca=True, days=(-300, 900), **changes)


def signed_by(issuer: parts.Made) -> bytes:
    return leaf(issuer=issuer).pem + issuer.pem


REFUSED = {
    "nothing": (lambda: b"", CertificateMissing),
    "one byte too much": (lambda: leaf().pem.ljust(certificates.LIMIT_BYTES + 1, b"\n"), CertificateTooLarge),
    "words": (lambda: b"hello, here is my certificate", CertificateUnreadable),
    "zeros": (lambda: bytes(1000), CertificateUnreadable),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(300), CertificateUnreadable),
    "PEM without an end": (lambda: leaf().pem[:-30], CertificateUnreadable),
    "PEM cut in the middle": (lambda: leaf().pem[:400] + b"\n-----END CERTIFICATE-----\n", CertificateUnreadable),
    "PEM of junk": (lambda: wrapped(b"junk"), CertificateUnreadable),
    "PEM that is not base64": (lambda: leaf().pem.replace(b"MII", b"M!I", 1), CertificateUnreadable),
    "PEM with nothing in it": (lambda: wrapped(b""), CertificateUnreadable),
    "PEM and then junk that is PEM": (lambda: leaf().pem + wrapped(b"junk"), CertificateUnreadable),
    "DER with a byte behind it": (lambda: leaf().der + b"\x00", CertificateUnreadable),
    "DER twice": (lambda: leaf().der * 2, CertificateUnreadable),
    "DER cut": (lambda: leaf().der[:-1], CertificateUnreadable),
    "DER in PEM with a byte behind it": (lambda: wrapped(leaf().der + b"\x00"), CertificateUnreadable),
    "DER that claims four gigabytes": (lambda: b"\x30\x84\xff\xff\xff\xff" + leaf().der, CertificateUnreadable),
    "a signing request": (request_pem, CertificateUnreadable),
    "PKCS #7": (lambda: pkcs7.serialize_certificates([leaf().certificate], PEM), CertificateUnreadable),
    "a public key": (
        lambda: own().public_key().public_bytes(PEM, PublicFormat.SubjectPublicKeyInfo),
        CertificateUnreadable,
    ),
    "a private key before it": (lambda: own_key() + leaf().pem, CertificateHoldsPrivateKey),
    "a private key behind it": (lambda: leaf().pem + own_key(), CertificateHoldsPrivateKey),
    "an RSA key in the old form": (
        lambda: leaf().pem + key("rsa2048").private_bytes(PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        CertificateHoldsPrivateKey,
    ),
    "an encrypted private key": (
        lambda: leaf().pem + own().private_bytes(PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")),
        CertificateHoldsPrivateKey,
    ),
    "a private key alone, as DER": (
        lambda: own().private_bytes(DER, PrivateFormat.PKCS8, NoEncryption()),
        CertificateHoldsPrivateKey,
    ),
    "PKCS #12": (
        lambda: pkcs12.serialize_key_and_certificates(b"x", own(), leaf().certificate, None, NoEncryption()),
        CertificateHoldsPrivateKey,
    ),
    "eleven certificates": (lambda: leaf().pem * 11, CertificateChainTooLong),
    "another machine's": (lambda: certificate("x", key("p256"), intermediate()).pem, CertificateOfOtherKey),
    "the authority's alone": (lambda: intermediate().pem, CertificateOfOtherKey),
    "an RSA key of somebody": (lambda: certificate("x", key("rsa2048"), intermediate()).pem, CertificateOfOtherKey),
    "an Ed25519 key of somebody": (lambda: certificate("x", key("ed25519"), root()).pem, CertificateOfOtherKey),
    "a DSA key of somebody": (lambda: certificate("x", key("dsa"), root()).pem, CertificateOfOtherKey),
    "a stranger in the chain": (
        lambda: leaf().pem + intermediate().pem + certificate("Stranger", key("p521"), ca=True).pem,
        CertificateChainBroken,
    ),
    "the root without what is between": (lambda: leaf().pem + root().pem, CertificateChainBroken),
    "an authority of the same name and another key": (
        lambda: leaf().pem + certificate("Example Issuing CA", key("p521"), root(), ca=True).pem,
        CertificateChainBroken,
    ),
    "two leaves": (lambda: leaf().pem + certificate("x", key("p256"), intermediate()).pem, CertificateChainBroken),
    "signed by what is no authority": (
        lambda: signed_by(certificate("No CA", key("p256"), root())),
        CertificateChainBroken,
    ),
    "an authority's with our key": (lambda: leaf(ca=True).pem, CertificateOfAuthority),
    "an authority that signs itself": (lambda: certificate("x", own(), ca=True).pem, CertificateOfAuthority),
    "signed with SHA-1": (
        lambda: parts.signed_with_sha1("depot.example.org", root(), ca=False).pem,
        CertificateSignatureWeak,
    ),
    "self-signed with SHA-1": (lambda: parts.signed_with_sha1("x", None, ca=False).pem, CertificateSignatureWeak),
    "signed with SHA-224": (lambda: leaf(digest=hashes.SHA224()).pem, CertificateSignatureWeak),
    "signed with SHA-3": (lambda: leaf(digest=hashes.SHA3_256()).pem, CertificateSignatureWeak),
    "signed with Ed25519": (lambda: leaf(issuer=authority("ed25519")).pem, CertificateSignatureWeak),
    "below an authority signed with SHA-1": (
        lambda: signed_by(parts.signed_with_sha1("Old CA", root(), ca=True)),
        CertificateSignatureWeak,
    ),
    "below RSA-1024": (lambda: signed_by(authority("rsa1024")), CertificateKeyWeak),
    "below P-192": (lambda: signed_by(authority("p192")), CertificateKeyWeak),
    "below Ed25519": (lambda: signed_by(authority("ed25519")), CertificateSignatureWeak),
    "expired by a second": (lambda: leaf(days=(-10, 0), now=NOW - timedelta(seconds=1)).pem, CertificateExpired),
    "expired years ago": (lambda: leaf(days=(-2000, -1600)).pem, CertificateExpired),
    "below an expired authority": (
        lambda: signed_by(certificate("Gone CA", key("p384"), root(), ca=True, days=(-900, -1))),
        CertificateExpired,
    ),
    "valid from the next second on": (
        lambda: leaf(days=(0, 10), now=NOW + timedelta(seconds=1)).pem,
        CertificateNotYetValid,
    ),
    "valid from next year on": (lambda: leaf(days=(300, 600)).pem, CertificateNotYetValid),
    "for clients alone": (lambda: leaf(purposes=[ExtendedKeyUsageOID.CLIENT_AUTH]).pem, CertificateNotForServers),
    "for mail alone": (lambda: leaf(purposes=[ExtendedKeyUsageOID.EMAIL_PROTECTION]).pem, CertificateNotForServers),
    "for encrypting keys alone": (lambda: leaf(usage=False).pem, CertificateNotForServers),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_what_an_authority_gives_is_taken_in_its_right_order(kind):
    data, subjects = TAKEN[kind]()
    accepted = accept(data)
    assert accepted.public_key in ours()
    assert subjects is None or order_of(accepted) == subjects
    assert accept(accepted.pem) == accepted


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_wrong_is_refused_with_its_own_reason(kind):
    make, reason = REFUSED[kind]
    with pytest.raises(ServerCertificateRefused) as refused:
        accept(make())
    assert type(refused.value) is reason
    assert refused.value.sentence
    assert refused.value.advice


def test_the_corpus_is_as_large_as_it_is_said_to_be():
    assert len(TAKEN) + len(REFUSED) >= 60


def test_a_clock_that_was_never_set_makes_nothing_wrong():
    unset = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)
    assert accept(leaf().pem, now=unset).public_key in ours()


def test_several_keys_may_be_here():
    other = certificate_making.generate_key()
    keys = [certificate_making.public_key(other), *ours()]
    assert certificates.accept(leaf().pem, keys, now=NOW).public_key == ours()[0]


#: Each test of bytes begins with one of these.
SEEDS = [
    x509.load_pem_x509_certificate(leaf_pem()).public_bytes(DER),
    leaf_pem(),
    leaf_pem() + intermediate().pem,
    own_key(),
    request_pem(),
    wrapped(leaf().der[:60]),
    b"-----BEGIN CERTIFICATE-----",
    b"",
]


def mangled(script: bytes) -> bytes:
    """Change a real file as a script says: its first byte chooses the file, every four others one change."""
    data = bytearray(SEEDS[script[0] % len(SEEDS)] if script else b"")
    for change in (script[at : at + 4] for at in range(1, len(script) - 3, 4)):
        at = (change[1] << 8 | change[2]) % (len(data) + 1)
        if change[0] < 120:
            data[at : at + 1] = change[3:4]
        elif change[0] < 190:
            data[at:at] = change[2:4]
        else:
            del data[at : at + change[3]]
    return bytes(data)


def ending_of(data: bytes) -> str:
    """Name what becomes of an upload; anything but our refusals goes through."""
    try:
        accepted = accept(data)
    except ServerCertificateRefused as refused:
        return refused.id
    # who signed it is for browsers to judge; that it is for our key is what is promised
    assert certificates.facts(accepted.pem).fingerprint_sha256
    assert accepted.public_key in ours()
    return "taken"


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")  # of what is refused below it
@settings(max_examples=10_000, deadline=None)
@given(script=st.binary(max_size=13))
@example(script=b"")
@example(script=b"\x01")
def test_whatever_is_uploaded_is_taken_or_refused_in_our_words(script):
    assert ending_of(mangled(script))


@settings(max_examples=1_000, deadline=None)
@given(data=st.binary(max_size=300))
def test_noise_is_no_certificate(data):
    assert ending_of(data) in ("certificate-missing", "certificate-unreadable", "certificate-holds-private-key")


def test_a_self_signed_certificate_says_what_was_entered():
    values = Values("Depot", ("depot.example.org", "10.1.2.3", "fd00::2"), "City", "Police", "Lund", "Skåne", "se")
    pem = certificate_making.self_sign(own_key(), values, valid_days=30, now=NOW)
    found = certificates.facts(pem)
    assert found.names == ("depot.example.org", "10.1.2.3", "fd00::2")
    assert found.is_self_signed
    assert (found.key, found.signature) == ("P-256", "SHA-256")
    assert found.valid_from == NOW - timedelta(hours=1)
    assert found.valid_until - found.valid_from == timedelta(days=30)
    loaded = x509.load_pem_x509_certificate(pem)
    assert loaded.subject.rfc4514_string() == "CN=Depot,OU=Police,O=City,L=Lund,ST=Skåne,C=SE"


def test_no_certificate_is_valid_for_longer_than_browsers_accept():
    found = certificates.facts(certificate_making.self_sign(own_key(), Values("x"), valid_days=4000, now=NOW))
    assert found.valid_until - found.valid_from == timedelta(days=398)


def test_a_signing_request_asks_for_the_same_names_with_the_same_key(tmp_path):
    pem = certificate_making.self_sign(own_key(), Values("x", ("depot.example.org", "10.1.2.3")), valid_days=9, now=NOW)
    request = x509.load_pem_x509_csr(certificate_making.signing_request(own_key(), pem))
    assert request.is_signature_valid
    assert request.public_key() == own().public_key()
    asked = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert asked.get_values_for_type(x509.DNSName) == ["depot.example.org"]
    (tmp_path / "x.csr").write_bytes(certificate_making.signing_request(own_key(), pem))
    command = ["openssl", "req", "-in", str(tmp_path / "x.csr"), "-verify", "-noout"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_request_for_what_an_authority_signed_asks_for_its_names():
    request = x509.load_pem_x509_csr(certificate_making.signing_request(own_key(), leaf().pem + intermediate().pem))
    assert request.subject == leaf().certificate.subject


@pytest.mark.parametrize(
    "text", ["depot", "depot.example.org", "*.example.org", "10.0.0.1", "fd00::1", "a" * 63, "x-1.y"]
)
def test_names_are_names(text):
    assert is_name(text)


@pytest.mark.parametrize(
    "text", ["", "-a", "a-", "a b", "https://a", "a:443", "a..b", "*", "*.org", "a.*.b", "a" * 64, "ä", "a\n", "a."]
)
def test_other_things_are_none(text):
    assert not is_name(text)
