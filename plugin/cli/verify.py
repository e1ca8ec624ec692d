"""``bodyworn verify``: read again what is stored and what is written; evidence that can be checked.

What is found is worded in ``errors``; how it is printed is in ``verify_report``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import click
from sqlalchemy.orm import Session

from ..crypto.keys import PublicKey
from ..errors import BodywornError, UnknownRecording
from ..migrations.run import check_head
from ..models import Database
from ..services import delivery_proof, event_export, holdings, records
from ..store import Store
from ..store.verify import Expected, Fault, Report, verify
from ..supervise import DATABASE_VARIABLE
from .verify_report import Outcome, StoreOutcome, say_export, say_outcome, say_proof


class RecoveryKey(click.ParamType[PublicKey]):
    """A recovery key as the Verification page shows it."""

    name = "key"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> PublicKey:
        """Read it, or say what is expected."""
        try:
            return PublicKey.from_base64(str(value))
        except BodywornError:
            self.fail(f"{value!r} is no recovery key; copy it from the Verification page.", param, ctx)


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="The plugin's folder.")
@click.option(
    "--database", envvar=DATABASE_VARIABLE, default="", help="The plugin's database; its SQLite file if none."
)
@click.option("--recording", help="Check this recording alone (its id, as in the address of its page).")
@click.option("--events", type=click.File("rb"), help="Check an export of the chain of events; nothing else is needed.")
@click.option("--proof", type=click.File("rb"), help="Check a proof of delivery; nothing else is needed.")
@click.option(
    "--files",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="With --proof: the folder of the recording's files, to be compared with it.",
)
@click.option(
    "--recovery-key", type=RecoveryKey(), help="With --events or --proof: the key that the file's system must have."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(
    data_dir: Path | None,
    database: str,
    recording: str | None,
    events: IO[bytes] | None,
    proof: IO[bytes] | None,
    files: Path | None,
    recovery_key: PublicKey | None,
    as_json: bool,
) -> None:
    """Read every stored object again and compare; check the manifests and the chain of events.

    Exit code 0 only when all is whole. Nothing is changed.
    """
    if sum(one is not None for one in (data_dir, events, proof)) != 1:
        raise click.UsageError("Give one of --data-dir, --events and --proof.")
    if files is not None and proof is None:
        raise click.UsageError("--files goes with --proof.")
    if events is not None:
        verdict = event_export.verify(events, recovery_key)
        say_export(verdict, as_json=as_json)
        sys.exit(0 if verdict.is_whole else 1)
    if proof is not None:
        proved = delivery_proof.verify(proof, recovery_key, files)
        say_proof(proved, as_json=as_json)
        sys.exit(0 if proved.is_whole else 1)
    assert data_dir is not None
    outcome = check(data_dir, database, recording, progress=None if as_json else _progress())
    if as_json:
        click.echo(json.dumps(outcome.document(), indent=2))
    else:
        say_outcome(outcome)
    sys.exit(0 if outcome.is_whole else 1)


def check(
    data_dir: Path, database: str, recording_id: str | None, *, progress: Callable[[Expected], object] | None = None
) -> Outcome:
    """Check everything on one machine, or one recording and the chain that its events are in.

    :raises UnknownRecording: DatabaseOutdated.
    """
    began = time.monotonic()
    opened = Database.at(database or f"sqlite:///{data_dir / 'bodyworn.db'}")
    try:
        check_head(opened.engine)
        with opened.read() as session:
            report = records.check(session, recording_id)
            expected, damage = _expected(session, data_dir, recording_id), list(holdings.damaged(session, recording_id))
        stores = {
            name: _examined(opened, data_dir, name, objects, recording_id, progress)
            for name, objects in expected.items()
        }
    finally:
        opened.close()
    return Outcome(stores, tuple(damage), report, recording_id, time.monotonic() - began)


def _expected(session: Session, data_dir: Path, recording_id: str | None) -> dict[str, list[Expected]]:
    """List what should be in each store; of stores that nobody knows of, that is nothing."""
    if recording_id is None:
        there = {f"received/{path.name}": list[Expected]() for path in (data_dir / "received").glob("[!.]*/")}
        return there | holdings.by_store(session)
    if not holdings.is_known(session, recording_id):
        raise UnknownRecording
    return holdings.of_recording(session, recording_id)


def _examined(
    database: Database,
    data_dir: Path,
    name: str,
    expected: list[Expected],
    recording_id: str | None,
    progress: Callable[[Expected], object] | None,
) -> StoreOutcome:
    """Compare one store; what changed in the database meanwhile (stored, encrypted, purged) is no finding."""
    report = verify(Store(data_dir / name), expected, looked_at=progress or (lambda _: None))
    findings = report.findings
    if findings:
        with database.read() as session:
            now = holdings.by_store(session).get(name, [])
            aside = {(one.container, one.name) for one in holdings.damaged(session, None) if one.store == name}
        known = {(one.container, one.name) for one in now}
        findings = tuple(
            one
            for one in findings
            if (one.fault is Fault.UNEXPECTED) != ((one.container, one.name) in known)
            and (one.container, one.name) not in aside
            and (recording_id is None or one.fault is not Fault.UNEXPECTED)
        )
    return StoreOutcome(Report(report.objects, report.size_bytes, findings))


def _progress() -> Callable[[Expected], None] | None:
    """Show on a terminal how far the reading is; nothing in files and pipes."""
    if not sys.stderr.isatty():
        return None
    seen = [0, 0]

    def show(looked_at: Expected) -> None:
        seen[0] += 1
        seen[1] += looked_at.size_bytes
        click.echo(f"\r{seen[0]} objects, {seen[1] / 1e6:.0f} MB read ", err=True, nl=False)

    return show
