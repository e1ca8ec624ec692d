"""What is tried in the machine, step by step; each begins where the one before it ended, and tells what it found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bodyworn.camera_volume.port import UnitKind
from bodyworn.hw import usb_policy, usb_port
from bodyworn.models import BayState
from bodyworn.services import docks, usb_guarding
from bodyworn.simulator.recorder import Wish
from testbed.vm.bench import DATA, ELSEWHERE, FAST, SLOW, Bench
from testbed.vm.depot import READ, TWINS, WORN
from testbed.vm.gadget import PLACE, GadgetSocket

Facts = dict[str, Any]
#: Of what is read while the plug is pulled; slow enough that the moment can be chosen.
# slow enough for a busy machine to pull the plug in time, ten times in a row
READ_BYTES, READ_BYTES_PER_SECOND = 6 * 2**20, 2**19


def bays_are_learned_by_place(bench: Bench) -> Facts:
    """Two host controllers; what appears while a dock learns makes a bay, is New, and is not read."""
    bench.link.plug_disk(WORN.name, FAST, serial=WORN.serial)
    took = bench.wait_for_bay(1, BayState.NEW)
    bench.link.plug_disk(READ.name, SLOW, serial=READ.serial)
    bench.wait_for_bay(2, BayState.NEW)
    bench.learn(on=False)
    mounts = Path("/proc/mounts").read_text()
    return {
        "places": [bay.places for bay in bench.bays()],
        "seconds_to_new": round(took, 2),
        "new": [bench.is_new(bench.camera(number)) for number in (1, 2)],
        "read": "/srv/depot/mounts" in mounts,
        "speeds": speeds(),
    }


def cameras_are_added(bench: Bench) -> Facts:
    """Added, assigned and undocked, they are worn: recordings come on them."""
    cameras = [bench.camera(number).id for number in (1, 2)]
    bench.add(*cameras)
    for number, disk in ((1, WORN), (2, READ)):
        bench.wait(lambda number=number: bench.is_up_to_date(bench.camera(number)), "settings applied")
        bench.wait_for_bay(number, BayState.READY)
        bench.link.unplug_disk(disk.name)
        bench.wait_for_bay(number, BayState.EMPTY)
    folder = "DPB30/VIDEO"
    bench.wear(
        WORN,
        {
            f"{folder}/20260304_060607_000A.MP4": 700_001,
            f"{folder}/20260304_060707_001A.MP4": 300_000,
            f"{folder}/20260304_060807_002A.MP4": 1,
        },
        seed=1,
    )
    bench.wear(READ, {"DCIM/100MEDIA/MOV_0001.MP4": READ_BYTES}, seed=2)
    return {"cameras": cameras}


def a_disk_is_emptied(bench: Bench) -> Facts:
    """Docked, offloaded, delivered, deleted from."""
    bench.link.plug_disk(WORN.name, FAST, serial=WORN.serial)
    bench.wait(lambda: bench.bay(1).camera_id, "a camera in bay 1")
    camera = bench.camera(1).id
    took = bench.wait(lambda: bench.is_delivered_and_deleted(camera), "delivered and deleted")
    bench.wait_for_bay(1, BayState.READY)
    bench.link.unplug_disk(WORN.name)
    bench.wait_for_bay(1, BayState.EMPTY)
    return {"seconds": round(took, 2), "filesystem": filesystems()}


def the_plug_is_pulled_while_reading(bench: Bench, moments: Sequence[float]) -> Facts:
    """Nothing is lost, nothing half-made stays, and once it is docked again it ends well."""
    before = bench.link.digest(READ.name)
    camera = ""
    pulled = []
    for moment in moments:
        bench.link.plug_disk(READ.name, SLOW, serial=READ.serial, bytes_per_second=READ_BYTES_PER_SECOND)
        wanted = int(moment * READ_BYTES)
        bench.wait(lambda wanted=wanted: bench.part_bytes() >= wanted, "bytes of a copy", every_seconds=0.05)
        camera, had = bench.camera(2).id, bench.part_bytes()
        beat = bench.heartbeat()
        bench.link.unplug_disk(READ.name)
        took = bench.wait_for_bay(2, BayState.EMPTY)
        bench.wait(lambda: not bench.station.parts(), "no half-made copy")
        bench.wait(lambda beat=beat: bench.heartbeat() != beat, "a sign of life")
        pulled.append(
            {
                "moment": moment,
                "had_bytes": had,
                "seconds_to_empty": round(took, 2),
                "evidence_unchanged": bench.link.digest(READ.name) == before,
                "delivered": bench.is_delivered_and_deleted(camera),
            }
        )
    bench.link.plug_disk(READ.name, SLOW, serial=READ.serial)
    took = bench.wait(lambda: bench.is_delivered_and_deleted(camera), "delivered and deleted")
    bench.wait_for_bay(2, BayState.READY)
    bench.link.unplug_disk(READ.name)
    bench.wait_for_bay(2, BayState.EMPTY)
    return {"pulled": pulled, "seconds_to_finish": round(took, 2)}


def a_loose_contact_is_no_undocking(bench: Bench) -> Facts:
    """The plug comes out and goes in again within the grace time, under another number: the docking goes on."""
    grace, usb_port.GRACE_SECONDS = usb_port.GRACE_SECONDS, PATIENT_GRACE_SECONDS
    try:
        bench.wear(WORN, {"DPB30/VIDEO/20260304_090607_003A.MP4": READ_BYTES // 4}, seed=3)
        bench.link.plug_disk(WORN.name, FAST, serial=WORN.serial, bytes_per_second=READ_BYTES_PER_SECOND)
        bench.wait(lambda: bench.part_bytes() > READ_BYTES // 16, "bytes of a copy", every_seconds=0.05)
        camera, seen = bench.camera(1).id, len(bench.events())
        first = attachments()
        bench.link.unplug_disk(WORN.name)
        bench.link.plug_disk(WORN.name, FAST, serial=WORN.serial)
        bench.wait(lambda: bench.is_delivered_and_deleted(camera), "delivered and deleted")
        undocked = [one for one in bench.events()[seen:] if one.action == "camera.undocked"]
        second = attachments()
        bench.wait_for_bay(1, BayState.READY)
    finally:
        usb_port.GRACE_SECONDS = grace
    bench.link.unplug_disk(WORN.name)
    bench.wait_for_bay(1, BayState.EMPTY)
    return {"undocked": len(undocked), "numbered_anew": first != second}


def two_cameras_with_one_serial_number_stay_two(bench: Bench) -> Facts:
    """They claim the same of themselves; their filesystems tell them apart."""
    for twin, socket in zip(TWINS, (FAST, SLOW), strict=True):
        bench.link.plug_disk(twin.name, socket, serial=twin.serial)
    for number in (1, 2):
        bench.wait_for_bay(number, BayState.NEW)
    cameras = [bench.camera(number) for number in (1, 2)]
    for number, twin in enumerate(TWINS, 1):
        bench.link.unplug_disk(twin.name)
        bench.wait_for_bay(number, BayState.EMPTY)
    return {"serials": [one.serial for one in cameras], "ids": [one.id for one in cameras]}


def a_volume_camera_takes_its_turns(bench: Bench) -> Facts:
    """Two units behind one plug, ejected by SCSI command and put in again by the camera; added, worn, emptied."""
    bay = DATA / "gadget"
    bay.mkdir()
    with bench.database.write() as session:
        number = docks.learn_place(session, docks.find_dock(session, "Dock").id, PLACE).position
    camera = bench.station.camera(1, "SIM0001", **VOLUME)
    with GadgetSocket(bay):
        camera.dock(bay)
        bench.wait_for_bay(number, BayState.NEW)
        bench.add(bench.camera(number).id)
        bench.wait(lambda: bench.is_up_to_date(bench.camera(number)), "settings applied")
        bench.wait_for_bay(number, BayState.READY)
        camera.undock()
        bench.wait_for_bay(number, BayState.EMPTY)
        recorded = camera.record(Wish(size_bytes=200_000))
        bench.written |= {clip.sha256: clip.name for clip in recorded.clips}
        camera.dock(bay)
        bench.wait(lambda: bench.station.is_delivered(recorded), "delivered")
        bench.wait(lambda: bench.station.is_erased(recorded) and not camera.recordings(), "deleted")
        bench.wait_for_bay(number, BayState.READY)
        camera.undock()
        bench.wait_for_bay(number, BayState.EMPTY)
    return {"turns": camera.core.memory.turns, "left": len(camera.recordings())}


def only_disks_in_bays_are_let_in(bench: Bench) -> Facts:
    """The guard: what other things bind to without it, and that they do not with it."""
    bench.link.plug("card", "usb-audio", ELSEWHERE)
    bench.wait(lambda: has_driver("snd-usb-audio"), "a sound card without the guard")
    bench.link.unplug("card")
    bench.wait(lambda: not has_driver("snd-usb-audio"), "no sound card")
    before = bound()
    with bench.database.write() as session:
        usb_guarding.turn(session, on=True, actor="olga")
    bench.wait(usb_policy.is_denying, "the guard")
    bench.link.plug("keys", "usb-kbd", FAST)
    bench.link.plug("card", "usb-audio", ELSEWHERE)
    bench.link.plug("net", "usb-net", ("xhci", "5"))
    bench.link.plug_disk(WORN.name, SLOW, serial=WORN.serial)
    bench.link.plug_disk(READ.name, ("xhci", "6"), serial=READ.serial)
    bench.wait(lambda: len(bench.events("usb.refused")) >= 4, "four refusals")
    bench.wait_for_bay(1, BayState.PROBLEM)
    bench.wait_for_bay(2, BayState.READY)
    facts = {
        "bound": sorted(bound() - before),
        "console": has_driver("usbhid"),
        "problem": bench.station.sentence(bench.bay(1)),
        "refused": sorted([*one.detail["kinds"]] for one in bench.events("usb.refused")),
        "disks": len(list(Path("/sys/block").glob("sd*"))),
    }
    for name in ("keys", "card", "net"):
        bench.link.unplug(name)
    for disk in (WORN, READ):
        bench.link.unplug_disk(disk.name)
    with bench.database.write() as session:
        usb_guarding.turn(session, on=False, actor="olga")
    bench.wait(lambda: not usb_policy.is_denying(), "no guard")
    return facts


PATIENT_GRACE_SECONDS = 60.0
VOLUME = {"kind": UnitKind.IMAGE, "filesystem": "exfat", "media_bytes": 24 * 2**20, "control_bytes": 4 * 2**20}


def bound() -> set[str]:
    """List the interfaces that have a driver and which, hubs and storage left out."""
    found = Path("/sys/bus/usb/devices").glob("*:*/driver")
    drivers = {f"{path.parent.name} {path.resolve().name}" for path in found}
    return {one for one in drivers if one.split()[1] not in ("hub", "usb-storage", "uas")}


def has_driver(name: str) -> bool:
    """Tell whether anything is bound to a driver."""
    return any(one.endswith(f" {name}") for one in bound())


def speeds() -> list[str]:
    """List how fast the kernel says the plugged disks are, in Mbit/s."""
    found = Path("/sys/bus/usb/devices").glob("*-*/speed")
    return sorted(path.read_text().strip() for path in found if ":" not in path.parent.name)


def attachments() -> list[str]:
    """List the numbers that the kernel gave to what is plugged in."""
    found = Path("/sys/bus/usb/devices").glob("*-*/devnum")
    return sorted(f"{path.parent.name}#{path.read_text().strip()}" for path in found)


def filesystems() -> list[str]:
    """List the filesystems that the kernel itself has by now."""
    lines = Path("/proc/filesystems").read_text().split()
    return [name for name in ("vfat", "exfat") if name in lines]


def steps(moments: Sequence[float], only: Sequence[str] = ()) -> dict[str, Callable[[Bench], Facts]]:
    """Give the steps in their order, by name; or those of these names, of which each needs some before it."""

    def pulled(bench: Bench) -> Facts:
        return the_plug_is_pulled_while_reading(bench, moments)

    found: dict[str, Callable[[Bench], Facts]] = {
        bays_are_learned_by_place.__name__: bays_are_learned_by_place,
        cameras_are_added.__name__: cameras_are_added,
        a_disk_is_emptied.__name__: a_disk_is_emptied,
        the_plug_is_pulled_while_reading.__name__: pulled,
        a_loose_contact_is_no_undocking.__name__: a_loose_contact_is_no_undocking,
        two_cameras_with_one_serial_number_stay_two.__name__: two_cameras_with_one_serial_number_stay_two,
        only_disks_in_bays_are_let_in.__name__: only_disks_in_bays_are_let_in,
    }
    asked_for: dict[str, Callable[[Bench], Facts]] = {
        # a busy machine may be told of a medium before udev knows its filesystem, and then gives it up
        a_volume_camera_takes_its_turns.__name__: a_volume_camera_takes_its_turns,
    }
    if not only:
        return found
    return {name: step for name, step in (found | asked_for).items() if name in only}
