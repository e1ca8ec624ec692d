"""What ``bodyworn verify`` says: as JSON for machines, and in sentences that say what to do for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from ..errors import (
    BodywornError,
    ChainGone,
    ChainRewritten,
    ChainTruncated,
    CheckpointRefused,
    CopyChanged,
    CopyMissing,
    CopyUnreadable,
    EventChanged,
    EventMissing,
    ObjectUnexpected,
)
from ..models import CopyState
from ..services import delivery_proof
from ..services.event_export import Verdict
from ..services.holdings import KnownDamage
from ..services.records import RecordReport
from ..store.verify import Fault, Finding, Report

_FAULTS = {
    Fault.DIFFERS: CopyChanged,
    Fault.MISSING: CopyMissing,
    Fault.UNREADABLE: CopyUnreadable,
    Fault.UNEXPECTED: ObjectUnexpected,
}
#: What the chain's findings were called before they had sentences; scripts rely on it.
_KINDS = {
    EventChanged.id: "edited",
    EventMissing.id: "missing",
    ChainGone.id: "missing",
    ChainTruncated.id: "truncated",
    ChainRewritten.id: "rewritten",
    CheckpointRefused.id: "unsigned",
}


@dataclass(frozen=True)
class StoreOutcome:
    """What was found in one store."""

    report: Report

    def document(self) -> dict[str, Any]:
        """Write it for machines."""
        return {
            "objects": self.report.objects,
            "bytes": self.report.size_bytes,
            "findings": [_finding(one) for one in self.report.findings],
        }


@dataclass(frozen=True)
class Outcome:
    """What was found on one machine."""

    stores: Mapping[str, StoreOutcome]
    #: What is known to be damaged already, and is no copy any more.
    damaged: tuple[KnownDamage, ...]
    records: RecordReport
    recording_id: str | None
    seconds: float

    @property
    def is_whole(self) -> bool:
        """Tell whether everything is as it was stored and written."""
        return not any(True for _ in self.problems())

    @property
    def objects(self) -> int:
        """Count what was read."""
        return sum(one.report.objects for one in self.stores.values())

    @property
    def size_bytes(self) -> int:
        """Measure what was read."""
        return sum(one.report.size_bytes for one in self.stores.values())

    def problems(self) -> Iterator[tuple[str, BodywornError]]:
        """List everything that is wrong, each with the part of the system that it is in."""
        for name, store in self.stores.items():
            for finding in store.report.findings:
                yield name, _FAULTS[finding.fault](name=f"{finding.container}/{finding.name or ''}")
        for known in self.damaged:
            yield known.store, known.problem
        for record in self.records.findings:
            yield "records", record.problem

    def document(self) -> dict[str, Any]:
        """Write it for machines."""
        return {
            "whole": self.is_whole,
            "recording": self.recording_id,
            "objects": self.objects,
            "bytes": self.size_bytes,
            "seconds": round(self.seconds, 3),
            "stores": {name: store.document() for name, store in self.stores.items()},
            "manifests": self.records.manifests,
            "events": self.records.events,
            "checkpoints": self.records.checkpoints,
            "chain": [_break(one.problem) for one in self.records.findings if one.problem.id in _KINDS],
            "findings": [_told(place, problem) for place, problem in self.problems()],
        }


def say_outcome(outcome: Outcome) -> None:
    """Print it for people."""
    for place, problem in outcome.problems():
        _say(place, problem)
    records = outcome.records
    click.echo(
        f"{outcome.objects} objects with {outcome.size_bytes / 1e6:.1f} MB read again, {records.manifests} manifests, "
        f"{records.events} events and {records.checkpoints} checkpoints checked in {outcome.seconds:.1f} s."
    )
    click.echo("Everything is whole." if outcome.is_whole else "Something is not as it was stored.")


def say_export(verdict: Verdict, *, as_json: bool) -> None:
    """Print what an export of the chain says."""
    if as_json:
        click.echo(json.dumps(_export(verdict), indent=2))
        return
    for finding in verdict.findings:
        _say("export", finding)
    title = verdict.title
    click.echo(f"System {title.system_name}, exported {title.exported_at.isoformat()}.")
    click.echo(f"{verdict.events} events and {verdict.checkpoints} checkpoints checked.")
    for head in title.chains:
        until = verdict.signed_until.get(head.chain_id, 0)
        click.echo(f"Chain {head.chain_id}: event {head.sequence}, {head.hash}; signed up to event {until}.")
    click.echo(f"Signed under recovery key {verdict.recovery_key_id}: compare it with the one that your system shows.")
    click.echo("The chain is whole." if verdict.is_whole else "The chain is not what was written.")


def _export(verdict: Verdict) -> dict[str, Any]:
    return {
        "whole": verdict.is_whole,
        "system": verdict.title.system_name,
        "exported_at": verdict.title.exported_at.isoformat(),
        "recovery_key_id": verdict.recovery_key_id,
        "events": verdict.events,
        "checkpoints": verdict.checkpoints,
        "chains": [
            {
                "chain": head.chain_id,
                "sequence": head.sequence,
                "hash": head.hash,
                "signed_until": verdict.signed_until.get(head.chain_id, 0),
            }
            for head in verdict.title.chains
        ],
        "findings": [_told("export", problem) for problem in verdict.findings],
    }


def say_proof(verdict: delivery_proof.Verdict, *, as_json: bool) -> None:
    """Print what a proof of delivery says."""
    if as_json:
        click.echo(json.dumps(_proof(verdict), indent=2))
        return
    for finding in verdict.findings:
        _say("proof", finding)
    proof = verdict.proof
    click.echo(f"System {proof.system.name}, proof of {proof.issued_at.isoformat()}.")
    click.echo(
        f"Recording {proof.container} of camera {proof.camera_serial}, user {proof.user.name if proof.user else '-'}, "
        f"complete at {proof.destination or 'the destination'} {proof.times.delivered.isoformat()}."
    )
    click.echo(
        f"{len(proof.objects)} objects: {_at_destination(verdict, CopyState.VERIFIED)} verified at the destination, "
        f"{_at_destination(verdict, CopyState.ACKNOWLEDGED)} acknowledged only. {verdict.files} files compared, "
        f"{len(proof.custody)} events checked."
    )
    click.echo(f"Signed under recovery key {verdict.recovery_key_id}: compare it with the one that your system shows.")
    click.echo("The proof is whole." if verdict.is_whole else "The proof and what it speaks of do not agree.")


def _proof(verdict: delivery_proof.Verdict) -> dict[str, Any]:
    proof = verdict.proof
    return {
        "whole": verdict.is_whole,
        "system": proof.system.name,
        "issued_at": proof.issued_at.isoformat(),
        "recovery_key_id": verdict.recovery_key_id,
        "recording": proof.recording_id,
        "container": proof.container,
        "delivered_at": proof.times.delivered.isoformat(),
        "objects": len(proof.objects),
        "verified": _at_destination(verdict, CopyState.VERIFIED),
        "acknowledged": _at_destination(verdict, CopyState.ACKNOWLEDGED),
        "files": verdict.files,
        "events": len(proof.custody),
        "findings": [_told("proof", problem) for problem in verdict.findings],
    }


def _at_destination(verdict: delivery_proof.Verdict, state: CopyState) -> int:
    return sum(one.at_destination() is state for one in verdict.proof.objects)


def _finding(finding: Finding) -> dict[str, str]:
    return {"container": finding.container, "object": finding.name or "", "fault": finding.fault}


def _break(problem: BodywornError) -> dict[str, Any]:
    chain, sequence = problem.values.get("chain", ""), problem.values.get("sequence", 1)
    return {"chain": chain, "sequence": sequence, "kind": _KINDS[problem.id]}


def _told(place: str, problem: BodywornError) -> dict[str, Any]:
    return {
        "place": place,
        "problem": problem.id,
        "values": problem.values,
        "sentence": str(problem),
        "what_to_do": problem.advice,
    }


def _say(place: str, problem: BodywornError) -> None:
    click.echo(f"{place}: {problem}\n    {problem.advice}")
