"""The master key: opened by its passphrase, at full cost, and by nothing else."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from bodyworn.crypto import master_key
from bodyworn.crypto.master_key import KdfCost, MasterSecret, read_label, unwrap
from bodyworn.crypto.passphrase import check_passphrase, strength
from bodyworn.errors import MasterKeyRefused, PassphraseTooWeak, WrongPassphrase
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import HealthCheck, given, settings, strategies as st

_PASSPHRASE = "five quiet herons cross slowly"
_CREATED = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
_LEAST = KdfCost(memory_kib=64 * 1024, iterations=1, lanes=1)
_SECRET = MasterSecret(bytes(range(32)))
_FILE = _SECRET.wrap(_PASSPHRASE, system_id="system-1", created=_CREATED, cost=_LEAST)


def _changed(header: dict[str, Any] | None = None, **members: Any) -> bytes:
    document = json.loads(_FILE) | members
    if header is not None:
        document["header"] = base64.b64encode(json.dumps(header).encode()).decode()
    return json.dumps(document).encode()


def _header(**members: Any) -> dict[str, Any]:
    return json.loads(base64.b64decode(json.loads(_FILE)["header"])) | members


@pytest.fixture
def derivations(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Record every derivation that is really made."""
    made: list[dict[str, Any]] = []

    def counted(**cost: Any) -> Argon2id:
        made.append(cost)
        return Argon2id(**cost)

    monkeypatch.setattr(master_key, "Argon2id", counted)
    return made


def _recovery(secret: MasterSecret) -> tuple[bytes, bytes]:
    return secret.recovery_signing_key().public.raw, secret.recovery_encryption_key().private_bytes_raw()


def test_the_passphrase_brings_the_recovery_keys_back() -> None:
    assert _recovery(unwrap(_FILE, _PASSPHRASE)) == _recovery(_SECRET)


def test_the_usual_cost_works_as_well() -> None:
    secret = MasterSecret.generate()
    file = secret.wrap(_PASSPHRASE, system_id="system-1", created=_CREATED)
    kdf = json.loads(base64.b64decode(json.loads(file)["header"]))["kdf"]
    assert (kdf["alg"], kdf["v"], kdf["m_kib"], kdf["t"], kdf["p"]) == ("argon2id", 19, 256 * 1024, 3, 4)
    assert _recovery(unwrap(file, _PASSPHRASE)) == _recovery(secret)


def test_the_file_can_be_opened_from_its_description_alone() -> None:
    document = json.loads(_FILE)
    header_bytes = base64.b64decode(document["header"])
    header = json.loads(header_bytes)
    kdf = header["kdf"]
    stretched = Argon2id(
        salt=base64.b64decode(kdf["salt"]), length=32, iterations=kdf["t"], lanes=kdf["p"], memory_cost=kdf["m_kib"]
    ).derive(_PASSPHRASE.encode())
    both = HKDF(algorithm=SHA256(), length=64, salt=None, info=b"bwm/v1/master-key-wrap").derive(stretched)
    assert both[32:] == base64.b64decode(document["commit"])
    ciphertext = base64.b64decode(document["ciphertext"])
    assert AESGCM(both[:32]).decrypt(base64.b64decode(header["nonce"]), ciphertext, header_bytes) == bytes(range(32))


def test_the_recovery_keys_differ_from_each_other_and_the_secret() -> None:
    signing = _SECRET.recovery_signing_key().private_bytes()
    assert len({signing, _SECRET.recovery_encryption_key().private_bytes_raw(), bytes(range(32))}) == 3


def test_two_systems_have_different_keys() -> None:
    assert _recovery(MasterSecret.generate()) != _recovery(MasterSecret.generate())


def test_a_file_says_whose_it_is_before_it_is_opened() -> None:
    label = read_label(_FILE)
    assert (label.system_id, label.created) == ("system-1", _CREATED)
    assert label.recovery_key == _SECRET.recovery_signing_key().public


def test_the_same_passphrase_typed_elsewhere_is_the_same() -> None:
    secret = MasterSecret.generate()
    file = secret.wrap("caf\u00e9 am \ufb01nsteren See", system_id="s", created=_CREATED, cost=_LEAST)
    assert _recovery(unwrap(file, "cafe\u0301 am finsteren See")) == _recovery(secret)


@pytest.mark.parametrize("passphrase", ["", _PASSPHRASE + " ", _PASSPHRASE.upper(), "\ud800"])
def test_a_wrong_passphrase_is_refused(passphrase: str) -> None:
    with pytest.raises(WrongPassphrase):
        unwrap(_FILE, passphrase)


def _flip(name: str) -> Callable[[], bytes]:
    def flipped() -> bytes:
        data = bytearray(base64.b64decode(json.loads(_FILE)[name]))
        data[-1] ^= 1
        return _changed(**{name: base64.b64encode(data).decode()})

    return flipped


@pytest.mark.parametrize(
    "damaged",
    [
        _flip("ciphertext"),
        _flip("commit"),
        lambda: _changed(commit=""),
        lambda: _changed(ciphertext=""),
        lambda: _changed(_header(system_id="system-2")),
        lambda: _changed(_header(created="2020-01-01T00:00:00Z")),
        lambda: _changed(_header(nonce=base64.b64encode(bytes(12)).decode())),
        lambda: _changed(
            _header(recovery_public_key=MasterSecret.generate().recovery_signing_key().public.to_base64())
        ),
        lambda: _changed(_header(kdf=_header()["kdf"] | {"t": 2})),
    ],
)
def test_damage_looks_like_a_wrong_passphrase(damaged: Callable[[], bytes]) -> None:
    with pytest.raises(WrongPassphrase):
        unwrap(damaged(), _PASSPHRASE)


def test_right_wrong_and_damaged_cost_one_derivation_each(derivations: list[dict[str, Any]]) -> None:
    unwrap(_FILE, _PASSPHRASE)
    with pytest.raises(WrongPassphrase):
        unwrap(_FILE, "wrong")
    with pytest.raises(WrongPassphrase):
        unwrap(_flip("ciphertext")(), _PASSPHRASE)
    assert len(derivations) == 3
    assert derivations[0] == derivations[1] == derivations[2]
    assert derivations[0]["memory_cost"] == 64 * 1024


@pytest.mark.parametrize(
    "cost",
    [
        {"m_kib": 64 * 1024 - 1},
        {"m_kib": 1024 * 1024 + 1},
        {"m_kib": 8},
        {"m_kib": 2**40},
        {"t": 0},
        {"t": 11},
        {"p": 0},
        {"p": 9},
        {"alg": "argon2i"},
        {"alg": "pbkdf2"},
        {"v": 16},
        {"salt": ""},
        {"salt": base64.b64encode(bytes(15)).decode()},
        {"t": 1.5},
        {"t": "3"},
    ],
)
def test_a_cost_outside_the_range_is_refused_before_computing(
    cost: dict[str, Any], derivations: list[dict[str, Any]]
) -> None:
    with pytest.raises(MasterKeyRefused):
        unwrap(_changed(_header(kdf=_header()["kdf"] | cost)), _PASSPHRASE)
    assert derivations == []


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"{}",
        b"\xff",
        b"[" * 8000,
        b'{"unknown":' + b"[" * 8000,
        _FILE[:-1],
        _FILE + b" " * 8192,
        _changed(type="other"),
        _changed(version=2),
        _changed(header="*"),
        _changed(header=base64.b64encode(b"{}").decode()),
        _changed(_header(aead="AES-256-CBC")),
        _changed(_header(nonce="")),
        _changed(_header(recovery_public_key="AAAA")),
        _changed(_header(created="2020-01-01T00:00:00")),
    ],
)
def test_what_is_no_master_key_is_refused_before_computing(file: bytes, derivations: list[dict[str, Any]]) -> None:
    with pytest.raises(MasterKeyRefused):
        unwrap(file, _PASSPHRASE)
    with pytest.raises(MasterKeyRefused):
        read_label(file)
    assert derivations == []


_KDF_MEMBERS = ("alg", "v", "m_kib", "t", "p", "salt")
_HEADER_MEMBERS = ("kdf", "system_id", "created", "recovery_public_key", "aead", "nonce", "epoch", "more")
_FILE_MEMBERS = ("type", "version", "header", "commit", "ciphertext", "more")
_ODD = (
    None,
    True,
    "",
    "argon2id",
    "\ud800",
    1.5,
    [],
    {},
    -1,
    0,
    1,
    8,
    10,
    19,
    2**16,
    2**20,
    2**64,
    "AAAA",
    "MTIzNDU2Nzg5MDEy",
)
_VALUES = st.sampled_from(_ODD) | st.integers(-(2**21), 2**21)
_THE_HEADER = _header()


def _with(name: str, value: Any) -> bytes:
    """Write the file with one member changed, wherever it stands."""
    if name in _KDF_MEMBERS:
        return _changed(_THE_HEADER | {"kdf": _THE_HEADER["kdf"] | {name: value}})
    return _changed(_THE_HEADER | {name: value}) if name in _HEADER_MEMBERS else _changed(**{name: value})


_MEMBERS = st.builds(_with, st.sampled_from(_KDF_MEMBERS + _HEADER_MEMBERS + _FILE_MEMBERS), _VALUES)
_PIECES = st.builds(
    lambda end, put, begin: _FILE[:end] + put + _FILE[begin:],
    st.integers(0, len(_FILE)),
    st.binary(max_size=8),
    st.integers(0, len(_FILE)),
)


@settings(max_examples=10_000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=64) | _PIECES | _MEMBERS)
def test_whatever_is_uploaded_is_a_master_key_within_its_ranges_or_refused(file: bytes) -> None:
    with suppress(MasterKeyRefused):
        _, header = master_key._parse(file)
        assert 64 * 1024 <= header.kdf.memory_kib <= 1024 * 1024
        assert 1 <= header.kdf.iterations <= 10
        assert 1 <= header.kdf.lanes <= 8
        assert (len(header.kdf.salt), len(header.nonce), len(file) <= 8192) == (16, 12, True)
        assert read_label(file).epoch >= 1


def test_a_file_from_before_epochs_were_written_is_of_the_first() -> None:
    header = _header()
    del header["epoch"]
    assert read_label(_changed(header)).epoch == 1


def test_a_file_is_written_anew_for_another_epoch_without_deriving_again(derivations: list[dict[str, Any]]) -> None:
    opened = master_key.open_file(_FILE, _PASSPHRASE)
    renewed = opened.of_epoch(7)
    assert len(derivations) == 1
    assert (opened.epoch, read_label(renewed).epoch) == (1, 7)
    assert _recovery(unwrap(renewed, _PASSPHRASE)) == _recovery(_SECRET)
    assert json.loads(renewed)["ciphertext"] != json.loads(_FILE)["ciphertext"]  # another nonce
    opened.wipe()
    assert repr(opened) == "OpenedFile()"
    with pytest.raises(WrongPassphrase):
        unwrap(opened.of_epoch(8), _PASSPHRASE)  # nothing is left to write another one with


def test_a_file_nobody_could_open_is_not_written(derivations: list[dict[str, Any]]) -> None:
    with pytest.raises(MasterKeyRefused):
        _SECRET.wrap(_PASSPHRASE, system_id="s", created=_CREATED, cost=KdfCost(memory_kib=1024))
    assert derivations == []


def test_a_file_that_names_another_system_s_recovery_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    forged = MasterSecret.generate()
    monkeypatch.setattr(forged, "recovery_signing_key", _SECRET.recovery_signing_key)
    file = forged.wrap(_PASSPHRASE, system_id="system-1", created=_CREATED, cost=_LEAST)
    assert read_label(file).recovery_key == _SECRET.recovery_signing_key().public
    with pytest.raises(MasterKeyRefused):
        unwrap(file, _PASSPHRASE)


def test_a_changed_passphrase_opens_the_new_file_and_the_old_one_stays_as_it_was() -> None:
    again = unwrap(_FILE, _PASSPHRASE).wrap("another one, chosen later", system_id="s", created=_CREATED, cost=_LEAST)
    assert _recovery(unwrap(again, "another one, chosen later")) == _recovery(_SECRET)
    assert _recovery(unwrap(_FILE, _PASSPHRASE)) == _recovery(_SECRET)
    with pytest.raises(WrongPassphrase):
        unwrap(again, _PASSPHRASE)


def test_a_secret_does_not_show_itself_and_can_be_wiped() -> None:
    secret = MasterSecret.generate()
    before = _recovery(secret)
    assert repr(secret) == "MasterSecret()"
    secret.wipe()
    assert _recovery(secret) != before


@pytest.mark.parametrize("passphrase", [_PASSPHRASE, "one by one we go", "x7#Kq9!mZp2&Lw5", "зелёный пароль для камер"])
def test_a_good_passphrase_is_taken(passphrase: str) -> None:
    check_passphrase(passphrase)


@pytest.mark.parametrize(
    "passphrase",
    [
        "",
        "short",
        "fourteen chars",
        "a a a a a",
        "aaaaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "passwordpassword",
        "123456789012345678",
        "987654321098765",
        "qwertyuiopasdfghjkl",
        "abcdefghijklmnopqrs",
        "1qaz2wsx3edc4rfv5tgb",
        " " * 40,
        "long enough, but without an end " * 40,
    ],
)
def test_a_passphrase_that_can_be_guessed_is_refused(passphrase: str) -> None:
    with pytest.raises(PassphraseTooWeak):
        check_passphrase(passphrase)


@pytest.mark.parametrize("passphrase", ["", " ", "a", "\ud800", "\0" * 20, "x" * 5000])
def test_anything_typed_can_be_judged(passphrase: str) -> None:
    assert 0 <= strength(passphrase).score <= 4


def test_what_everybody_here_knows_makes_a_passphrase_weaker() -> None:
    known = strength("Vindobona patrol Huber", also=["Vindobona patrol", "Huber"])
    assert known.guesses < strength("Vindobona patrol Huber").guesses
    assert strength(_PASSPHRASE).good_enough
    assert strength(_PASSPHRASE).seconds > 100 * 365 * 86_400


def test_long_is_not_enough_where_the_pattern_is_common() -> None:
    for passphrase in ("Password1234567!", "monkeydragon123456", "iloveyouiloveyou!"):
        with pytest.raises(PassphraseTooWeak):
            check_passphrase(passphrase)
