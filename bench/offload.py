"""Offload from a docked camera into the spool, with and without encryption, beside the tools that people would use."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from measure import Contestant, Goal, Plan, Row, compete, rate_row
from stage import Stage, staged

CLIPS = 8
#: Fewer, because encryption takes longer.
ENCRYPTED_CLIPS = 4

#: $1: target folder; the rest: clips. Copies, makes them durable, and reads the copies again from the device.
_COPY = """
set -e
cd "$1"; shift
cp "$@" .
sync ./*
if [ -w /proc/sys/vm/drop_caches ]; then echo 3 > /proc/sys/vm/drop_caches; fi
openssl dgst -sha256 ./* > ../digests
"""

#: $1: target folder; $2: key; $3: initial vector; the rest: clips. For each clip: SHA-256 of the plaintext beside the
#: encryption, SHA-256 and MD5 of the ciphertext beside each other, all from the page cache; then the ciphertext again
#: from the device, hashed beside being decrypted, and the plaintext of that hashed. Splitting one stream with ``tee``
#: instead was tried; it takes twice as long, because it moves 8 KiB at a time.
_ENCRYPT = """
set -e
cd "$1"; key=$2 iv=$3; shift 3
for clip in "$@"; do
    name=${clip##*/}
    openssl dgst -sha256 -r < "$clip" > ../plain &
    openssl enc -aes-256-cbc -K "$key" -iv "$iv" -bufsize 1048576 -in "$clip" -out "$name"
    openssl dgst -sha256 -r < "$name" > ../cipher &
    openssl dgst -md5 -r < "$name" > ../md5
    wait
    sync "$name"
    if [ -w /proc/sys/vm/drop_caches ]; then echo 3 > /proc/sys/vm/drop_caches; fi
    openssl dgst -sha256 -r < "$name" > ../cipher-again &
    openssl enc -d -aes-256-cbc -K "$key" -iv "$iv" -bufsize 1048576 -in "$name" |
        openssl dgst -sha256 -r > ../plain-again
    wait
    cmp ../plain ../plain-again
    cmp ../cipher ../cipher-again
done
"""

_PLAIN_NOTE = (
    f"{CLIPS} clips of one camera through `Intake` (P4–P14: listing, claim, transactions, receipts, with the camera's "
    "turns); SHA-256 and MD5, compared with the camera's digest and with what the device gives back. The peer copies "
    "with `cp`, calls `sync`, drops the caches and runs `openssl dgst -sha256` on the copies; it computes no MD5 and "
    "no digest of what it read."
)
_ENCRYPTED_NOTE = (
    f"{ENCRYPTED_CLIPS} clips through `Intake`; AES-256-CBC, SHA-256 of plaintext and ciphertext, MD5 of the "
    "ciphertext; what the device gives back is hashed, decrypted and hashed again. The peer does the same with "
    "`openssl enc` and `openssl dgst`, two of its steps beside each other wherever they can be."
)


def rows(plan: Plan) -> Iterator[Row]:
    """Measure both."""
    yield _plain(plan)
    yield _encrypted(plan)


def _plain(plan: Plan) -> Row:
    with staged(plan.folder / "plain", cameras=1, clips=CLIPS, clip_bytes=plan.clip_bytes) as stage:
        peer = _peer("cp, sync, openssl dgst", _COPY, [], stage.clips[0], plan.folder / "peer")
        ours, theirs = compete(plan.runs, _ours(stage), peer)
    return rate_row(
        "Offload, not encrypted",
        ours,
        theirs,
        stage.size_bytes,
        Goal(1.0),
        [_PLAIN_NOTE],
    )


def _encrypted(plan: Plan) -> Row:
    with staged(
        plan.folder / "encrypted", cameras=1, clips=ENCRYPTED_CLIPS, clip_bytes=plan.clip_bytes, encrypt=True
    ) as stage:
        key = [secrets.token_hex(32), secrets.token_hex(16)]
        peer = _peer("openssl enc, openssl dgst", _ENCRYPT, key, stage.clips[0], plan.folder / "peer")
        ours, theirs = compete(plan.runs, _ours(stage), peer)
    return rate_row(
        "Offload, encrypted",
        ours,
        theirs,
        stage.size_bytes,
        Goal(0.9),
        [_ENCRYPTED_NOTE],
    )


def _ours(stage: Stage) -> Contestant:
    return Contestant("bodyworn", lambda: stage.offload(1), tidy=stage.forget)


def _peer(name: str, script: str, arguments: Sequence[str], clips: Sequence[Path], folder: Path) -> Contestant:
    target = folder / "copies"
    command = ["bash", "-c", script, "bench", str(target), *arguments, *map(str, clips)]
    return Contestant(
        name,
        work=lambda: subprocess.run(command, check=True),
        prepare=lambda: target.mkdir(parents=True),
        tidy=lambda: shutil.rmtree(folder),
    )
