"""``bodyworn verify``: read again what is stored, and check the chain of events; evidence that can be checked."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from ..migrations.run import check_head
from ..models import Database
from ..services import events, holdings
from ..store import Store
from ..store.verify import Finding, Report, verify
from ..supervise import DATABASE_VARIABLE


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), required=True, help="The plugin's folder.")
@click.option(
    "--database", envvar=DATABASE_VARIABLE, default="", help="The plugin's database; its SQLite file if none."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(data_dir: Path, database: str, as_json: bool) -> None:
    """Read every stored object again and compare; check the chain of events. Exit code 0 only when all is whole."""
    opened = Database.at(database or f"sqlite:///{data_dir / 'bodyworn.db'}")
    check_head(opened.engine)
    with opened.read() as session:
        breaks = list(events.check(session))
        expected = holdings.by_store(session)
    reports = {name: verify(Store(data_dir / name), objects) for name, objects in expected.items()}
    whole = not breaks and all(report.is_whole for report in reports.values())
    if as_json:
        click.echo(json.dumps(_document(reports, breaks, whole), indent=2))
    else:
        _say(reports, breaks, whole)
    sys.exit(0 if whole else 1)


def _document(reports: dict[str, Report], breaks: list[events.Break], whole: bool) -> dict[str, object]:
    return {
        "whole": whole,
        "stores": {name: {"findings": [_finding(one) for one in report.findings]} for name, report in reports.items()},
        "chain": [{"chain": one.chain_id, "sequence": one.sequence, "kind": one.kind} for one in breaks],
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {"container": finding.container, "object": finding.name or "", "fault": finding.fault}


def _say(reports: dict[str, Report], breaks: list[events.Break], whole: bool) -> None:
    for name, report in reports.items():
        for finding in report.findings:
            click.echo(f"{name}: {finding.container}/{finding.name or ''}: {finding.fault}")
    for one in breaks:
        click.echo(f"chain {one.chain_id}: event {one.sequence}: {one.kind}")
    click.echo("Everything is whole." if whole else "Something is not as it was stored.")
