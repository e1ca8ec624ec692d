"""Real USB: one machine under QEMU, with the kernel of Debian, in which a controller of ours works with its cameras."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from testbed.vm import depot, run, steps
from testbed.vm.kernel import Missing, kernel

pytest_plugins = ["fixtures_rig"]
pytestmark = pytest.mark.feature("CAM-1")

PLUG_PULLED_AT = 0.4


@dataclass
class Told:
    """What the machine told."""

    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    console: str = ""
    damaged: dict[str, str] = field(default_factory=dict)

    def facts(self, step: str) -> dict[str, Any]:
        """Give what was found at a step; one that failed, or was not come to, fails the test."""
        if step not in self.steps:
            pytest.fail(f"{step} was not come to; {self.wrong()}", pytrace=False)
        said = self.steps[step]
        if said["wrong"]:
            pytest.fail(said["wrong"], pytrace=False)
        found: dict[str, Any] = said["facts"]
        return found

    def wrong(self) -> str:
        """Say what went wrong first."""
        failed = [name for name, said in self.steps.items() if said["wrong"]]
        return f"{failed[0]} failed" if failed else f"the machine ended early:\n{self.console[-4000:]}"


@pytest.fixture(scope="module")
def told(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    if os.geteuid() != 0:
        pytest.skip("the machine's root is this one's, which needs root")
    try:
        found = kernel()
    except Missing as missing:
        pytest.skip(str(missing))
    with run.folder() as folder:
        result = Told()
        for said in run.steps(found, folder, tables, [PLUG_PULLED_AT]):
            result.steps[said["step"]] = said
        result.console = run.console(folder)
        result.damaged = {disk.name: depot.damage(folder / "share", disk) for disk in depot.DISKS}
        return result


def test_bays_are_learned_by_place_over_both_kinds_of_usb(told: Told) -> None:
    facts = told.facts("bays_are_learned_by_place")
    assert facts["places"] == [["0000:00:10.0/1"], ["0000:00:11.0/1"]]
    assert "5000" in facts["speeds"]
    assert "480" in facts["speeds"]


def test_a_new_camera_is_listed_and_not_read(told: Told) -> None:
    facts = told.facts("bays_are_learned_by_place")
    assert facts["new"] == [True, True]
    assert not facts["read"]


@pytest.mark.feature("REC-1")
def test_a_disk_is_offloaded_delivered_and_deleted_from(told: Told) -> None:
    assert told.facts("a_disk_is_emptied")["filesystem"] == ["vfat", "exfat"]


def test_a_plug_that_is_pulled_while_reading_costs_nothing(told: Told) -> None:
    (pulled,) = told.facts("the_plug_is_pulled_while_reading")["pulled"]
    assert pulled["had_bytes"] >= PLUG_PULLED_AT * steps.READ_BYTES
    assert pulled["evidence_unchanged"]
    assert not pulled["delivered"]


def test_a_loose_contact_is_no_undocking(told: Told) -> None:
    assert told.facts("a_loose_contact_is_no_undocking") == {"undocked": 0, "numbered_anew": True}


def test_two_cameras_with_one_serial_number_stay_two(told: Told) -> None:
    facts = told.facts("two_cameras_with_one_serial_number_stay_two")
    assert len(set(facts["ids"])) == 2
    assert all(serial.startswith("BWC0009-") for serial in facts["serials"])


def test_only_disks_in_bays_are_let_in_where_that_is_wanted(told: Told) -> None:
    facts = told.facts("only_disks_in_bays_are_let_in")
    assert facts["bound"] == []
    assert facts["disks"] == 1
    assert facts["console"]
    assert "keyboard" in facts["problem"]
    assert sorted(map(tuple, facts["refused"])) == [
        ("audio",),
        ("keyboard or mouse",),
        ("modem", "network"),
        ("storage",),
    ]


def test_what_was_recorded_arrived_and_the_disks_are_sound(told: Told) -> None:
    facts = told.facts("end")
    assert facts["arrived"] == facts["written"]
    assert len(facts["written"]) == 5
    assert (facts["breaks"], facts["parts"]) == (0, 0)
    assert not any(told.damaged.values()), json.dumps(told.damaged)
