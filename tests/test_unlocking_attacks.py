"""Attacks on lease, unlock and clock (D2), each handed to a simulated camera: it refuses, and is as it was before."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from bodyworn.camera_volume.answers import Acknowledgement
from bodyworn.camera_volume.documents import CameraState, Unit
from bodyworn.camera_volume.orders import LEASE, OrderKind
from bodyworn.crypto import chain, envelope
from bodyworn.crypto.chain import Authority, Certificate, Right, Role, Subject
from bodyworn.crypto.envelope import PayloadType
from bodyworn.crypto.keys import SigningKey
from bodyworn.simulator.build import Build
from bodyworn.simulator.camera import SimulatedCamera
from bodyworn.simulator.dock import SimulatedDock
from test_simulator import Host, System

pytest.importorskip("av", reason="simulated cameras record with PyAV (the extra `media`)")

DAY = timedelta(days=1)
NOWHERE = base64.b64encode(bytes(32)).decode()
Order = tuple[OrderKind, bytes]


@dataclass
class Keys:
    """All keys of a system, as somebody who has some of them would use them."""

    id: str
    epoch: int
    recovery: SigningKey
    system: SigningKey = field(default_factory=SigningKey.generate)
    controller: SigningKey = field(default_factory=SigningKey.generate)

    def authority(self, **changes: Any) -> Authority:
        """Make a chain; ``changes`` are to the controller's certificate."""
        now = datetime.now(UTC)
        common = {"system_id": self.id, "epoch": self.epoch, "not_before": now - DAY}
        controller = {"rights": list(Right), "not_after": now + 30 * DAY, **common, **changes}
        system = _certificate(Role.SYSTEM, self.system, rights=[], not_after=None, **common)
        return Authority(
            self.controller,
            (
                chain.certify(self.recovery, system),
                chain.certify(self.system, _certificate(Role.CONTROLLER, self.controller, **controller)),
            ),
        )


def _certificate(role: Role, key: SigningKey, **facts: Any) -> Certificate:
    return Certificate(subject=Subject(role, "first"), public_key=key.public.to_base64(), **facts)


@dataclass
class Scene:
    """A camera of the second epoch in its dock, and what an attacker may have got hold of."""

    camera: SimulatedCamera
    host: Host
    keys: Keys
    #: Orders that were good once.
    kept: dict[str, Order] = field(default_factory=dict)

    def members(self, **changes: Any) -> dict[str, Any]:
        """Say what every order says; each call draws a number."""
        self.host.sequence += 1
        return {
            "system_id": self.keys.id,
            "camera": self.camera.public_key.key_id,
            "epoch": self.keys.epoch,
            "sequence": self.host.sequence,
            "issued": _written(datetime.now(UTC)),
        } | changes

    def unlock(self, **changes: Any) -> bytes:
        """Write the unlock that would work now, but for the changes."""
        now = datetime.now(UTC)
        times = {"camera_nonce": self.host.camera_nonce, "time": _written(now), "expires": _written(now + LEASE)}
        return _json(self.members(**times) | changes)

    def lease(self, **changes: Any) -> bytes:
        """Write the lease that would work now, but for the changes."""
        return _json(self.members(expires=_written(datetime.now(UTC) + LEASE - DAY)) | changes)

    def signed_unlock(self, **changes: Any) -> bytes:
        return envelope.sign(self.unlock(**changes), PayloadType.UNLOCK, self.keys.recovery)

    def chained(self, kind: OrderKind, payload: bytes, keys: Keys | None = None, **changes: Any) -> Order:
        authority = (keys or self.keys).authority(**changes)
        return kind, authority.issue(payload, PayloadType(f"application/vnd.bodyworn.{kind}.v1+json"))

    def state(self) -> tuple[object, ...]:
        """Give everything that an attack on the lock could change."""
        memory = self.camera.core.memory
        lock = (memory.system_id, memory.recovery_key, memory.epoch, memory.lease_expires, memory.settings)
        return *lock, memory.newer_epoch_seen, memory.shipping, round(memory.clock_offset_seconds, 1), self._is_open()

    def _is_open(self) -> tuple[bool, CameraState]:
        return Unit.MEDIA in self.host.port.state().present, self.camera.describe().state


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(members: dict[str, Any]) -> bytes:
    return json.dumps(members).encode()


def _changed(signed: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    document = json.loads(signed)
    change(document)
    return json.dumps(document).encode()


def _flip(text: str) -> str:
    data = bytearray(base64.b64decode(text))
    data[len(data) // 2] ^= 1
    return base64.b64encode(bytes(data)).decode()


@pytest.fixture(scope="module")
def bays(tmp_path_factory: pytest.TempPathFactory) -> SimulatedDock:
    return SimulatedDock(tmp_path_factory.mktemp("attacks") / "dock", bays=2)


def _scene(bays: SimulatedDock, number: int) -> Scene:
    recovery, system_id = SigningKey.generate(), str(uuid4())
    keys = Keys(system_id, 1, recovery)
    camera = SimulatedCamera(bays.bay(1).parent.parent / f"camera-{number}", Build(f"SIM-{number}"))
    scene = Scene(camera, Host(bays.bay(number), System(system_id, recovery, epoch=1)), keys)
    camera.dock(scene.host.bay)
    scene.host.enrol()
    return scene


@pytest.fixture(scope="module")
def locked(bays: SimulatedDock) -> Iterator[Scene]:
    """Let a camera's lease be over; it was unlocked once before, in an earlier docking."""
    scene = _scene(bays, 1)
    memory = scene.camera.core.memory
    memory.lease_expires = datetime.now(UTC) - DAY
    scene.kept["challenge"] = scene.host.challenge()
    scene.kept["unused unlock"] = OrderKind.UNLOCK, scene.signed_unlock()
    scene.kept["used unlock"] = OrderKind.UNLOCK, scene.signed_unlock()
    assert scene.host.one(*scene.kept["used unlock"]).applied
    scene.camera.undock()
    memory.lease_expires = datetime.now(UTC) - DAY
    scene.camera.dock(scene.host.bay)
    scene.host.look()
    assert scene.camera.describe().state is CameraState.LOCKED
    yield scene
    scene.camera.undock()
    scene.camera.stop()


@pytest.fixture(scope="module")
def working(bays: SimulatedDock) -> Iterator[Scene]:
    """Let a camera be at work, with leases and clock orders that were good once."""
    scene = _scene(bays, 2)
    for name in ("earlier", "latest"):
        scene.kept[f"{name} lease"] = scene.chained(OrderKind.LEASE, scene.lease())
        clock = _json(scene.members(time=_written(datetime.now(UTC))))
        scene.kept[f"{name} clock"] = scene.chained(OrderKind.CLOCK, clock)
        for what in ("lease", "clock"):
            assert scene.host.one(*scene.kept[f"{name} {what}"]).applied
    scene.kept["challenge"] = scene.host.challenge()
    scene.camera.undock()
    scene.camera.dock(scene.host.bay)
    scene.host.look()
    yield scene
    scene.camera.undock()
    scene.camera.stop()


OTHER = SigningKey.generate()
Attack = Callable[[Scene], Order]


def _unlocks(**changes: Any) -> Attack:
    return lambda scene: (OrderKind.UNLOCK, scene.signed_unlock(**changes))


def _mangled(change: Callable[[bytes], bytes]) -> Attack:
    return lambda scene: (OrderKind.UNLOCK, change(scene.signed_unlock()))


def _edited(change: Callable[[dict[str, Any]], None]) -> Attack:
    return _mangled(lambda signed: _changed(signed, change))


def _without_nonce(scene: Scene) -> Order:
    payload = json.loads(scene.unlock())
    del payload["camera_nonce"]
    return OrderKind.UNLOCK, envelope.sign(_json(payload), PayloadType.UNLOCK, scene.keys.recovery)


def _number_of_the_last(scene: Scene) -> Order:
    last = scene.camera.core.memory.applied[OrderKind.UNLOCK]
    return OrderKind.UNLOCK, scene.signed_unlock(sequence=last.sequence)


def _signature_of_another(scene: Scene) -> Order:
    good = json.loads(envelope.sign(b"{}", PayloadType.UNLOCK, scene.keys.recovery))
    return OrderKind.UNLOCK, _changed(scene.signed_unlock(), lambda one: one.update(signatures=good["signatures"]))


def _by_chain(kind: OrderKind, **members: Any) -> Attack:
    return lambda scene: scene.chained(kind, _json(scene.members(**members)))


def _enrolment_elsewhere(scene: Scene) -> Order:
    keys = Keys(str(uuid4()), 9, OTHER)
    members = scene.members(system_id=keys.id, epoch=9, recovery_key=OTHER.public.to_base64())
    return scene.chained(OrderKind.ENROLMENT, _json(members), keys)


def _settings(scene: Scene) -> Order:
    return scene.chained(OrderKind.SETTINGS, _json(scene.members(time_zone="UTC", power_line_hertz=50)))


ON_A_LOCKED_CAMERA: dict[str, Attack] = {
    "the unlock that worked in its last docking": lambda scene: scene.kept["used unlock"],
    "an unlock that was never used, for its last docking": lambda scene: scene.kept["unused unlock"],
    "another camera's unlock": _unlocks(camera=OTHER.public.key_id),
    "an unlock for a docking of another camera": _unlocks(camera_nonce=base64.b64encode(b"x" * 32).decode()),
    "an unlock for no docking": _unlocks(camera_nonce=NOWHERE),
    "an unlock that names no docking": _without_nonce,
    "an unlock of the epoch before": _unlocks(epoch=0),
    "an unlock of an epoch below all": _unlocks(epoch=-1),
    "an unlock with a number from before": _unlocks(sequence=1),
    "another unlock with the last number": _number_of_the_last,
    "an unlock with number nought": _unlocks(sequence=0),
    "an unlock of another system": _unlocks(system_id=str(uuid4())),
    "an unlock for longer than a lease": _unlocks(expires=_written(datetime.now(UTC) + LEASE + DAY)),
    "an unlock for ever": _unlocks(expires="9999-12-31T23:59:59.000Z"),
    "an unlock that ends before it begins": _unlocks(expires=_written(datetime.now(UTC) - DAY)),
    "an unlock with a time of no zone": _unlocks(time=datetime.now(UTC).replace(tzinfo=None).isoformat()),
    "an unlock by another recovery key": lambda scene: (
        OrderKind.UNLOCK,
        envelope.sign(scene.unlock(), PayloadType.UNLOCK, OTHER),
    ),
    "an unlock by the system's key": lambda scene: (
        OrderKind.UNLOCK,
        envelope.sign(scene.unlock(), PayloadType.UNLOCK, scene.keys.system),
    ),
    "an unlock by the controller's key": lambda scene: (
        OrderKind.UNLOCK,
        envelope.sign(scene.unlock(), PayloadType.UNLOCK, scene.keys.controller),
    ),
    "an unlock by a controller with its chain": lambda scene: scene.chained(OrderKind.UNLOCK, scene.unlock()),
    "an unlock by the camera's own key": lambda scene: (
        OrderKind.UNLOCK,
        envelope.sign(scene.unlock(), PayloadType.UNLOCK, scene.camera.core.key),
    ),
    "an unlock signed as a lease": lambda scene: (
        OrderKind.UNLOCK,
        envelope.sign(scene.unlock(), PayloadType.LEASE, scene.keys.recovery),
    ),
    "a lease signed as an unlock": lambda scene: (
        OrderKind.UNLOCK,
        envelope.sign(scene.lease(), PayloadType.UNLOCK, scene.keys.recovery),
    ),
    "an unlock in a file that is called lease": lambda scene: (OrderKind.LEASE, scene.signed_unlock()),
    "an unlock without its last byte": _mangled(lambda signed: signed[:-1]),
    "half an unlock": _mangled(lambda signed: signed[: len(signed) // 2]),
    "an empty unlock": _mangled(lambda signed: b""),
    "an unlock with more behind it": _mangled(lambda signed: signed + b"{}"),
    "an unlock with another payload": _edited(lambda one: one.update(payload=_flip(one["payload"]))),
    "an unlock with another signature": _edited(
        lambda one: one["signatures"][0].update(sig=_flip(one["signatures"][0]["sig"]))
    ),
    "an unlock with the signature of something else": _signature_of_another,
    "an unlock without a signature": _edited(lambda one: one.update(signatures=[])),
    "an unlock whose type was changed afterwards": _edited(lambda one: one.update(payloadType=str(PayloadType.LEASE))),
    "a new lease": lambda scene: scene.chained(OrderKind.LEASE, scene.lease()),
    "its clock set back": _by_chain(OrderKind.CLOCK, time=_written(datetime.now(UTC) - 60 * DAY)),
    "other settings": _settings,
    "a reset": _by_chain(OrderKind.RESET, shipping=False),
    "an enrolment in another system": _enrolment_elsewhere,
    "the challenge of its last docking": lambda scene: scene.kept["challenge"],
}


def _lease_by(**changes: Any) -> Attack:
    return lambda scene: scene.chained(OrderKind.LEASE, scene.lease(), **changes)


def _lease_with(**changes: Any) -> Attack:
    return lambda scene: scene.chained(OrderKind.LEASE, scene.lease(**changes))


def _lease_of(**changes: Any) -> Attack:
    def attack(scene: Scene) -> Order:
        facts: dict[str, Any] = {"id": scene.keys.id, "epoch": 1, "recovery": scene.keys.recovery, **changes}
        keys = Keys(**facts)
        return scene.chained(OrderKind.LEASE, scene.lease(system_id=keys.id, epoch=keys.epoch), keys)

    return attack


def _without_the_system(scene: Scene) -> Order:
    kind, order = scene.chained(OrderKind.LEASE, scene.lease())
    return kind, _changed(order, lambda one: one.update(authority=one["authority"][1:]))


def _settings_as_lease(scene: Scene) -> Order:
    return scene.chained(OrderKind.LEASE, _json(scene.members(time_zone="UTC", power_line_hertz=50)))


def _number_of_the_last_lease(scene: Scene) -> Order:
    last = scene.camera.core.memory.applied[OrderKind.LEASE]
    return scene.chained(OrderKind.LEASE, scene.lease(sequence=last.sequence))


ON_A_WORKING_CAMERA: dict[str, Attack] = {
    "a lease from before the last": lambda scene: scene.kept["earlier lease"],
    "the clock as it was set before": lambda scene: scene.kept["earlier clock"],
    "the challenge of its last docking": lambda scene: scene.kept["challenge"],
    "another lease with the last number": _number_of_the_last_lease,
    "another camera's lease": _lease_with(camera=OTHER.public.key_id),
    "a lease longer than a lease": _lease_with(expires=_written(datetime.now(UTC) + LEASE + DAY)),
    "a lease that was over when it was given": _lease_with(expires=_written(datetime.now(UTC) - DAY)),
    "a lease of the epoch before": _lease_of(epoch=0),
    "a lease that says a later epoch than its certificates": _lease_with(epoch=2),
    "a lease of another system": _lease_of(id=str(uuid4()), recovery=OTHER),
    "a lease under another recovery key": _lease_of(recovery=OTHER),
    "a lease of another system under our recovery key": _lease_of(id=str(uuid4())),
    "a lease by a controller without that right": _lease_by(rights=[str(Right.OFFLOAD)]),
    "a lease by a controller whose certificate is over": _lease_by(not_after=datetime.now(UTC) - timedelta(hours=1)),
    "a lease by a controller whose certificate has no end": _lease_by(not_after=None),
    "a lease by a controller whose certificate begins tomorrow": _lease_by(not_before=datetime.now(UTC) + DAY),
    "a lease without the system's certificate": _without_the_system,
    "settings signed as a lease": _settings_as_lease,
    "a lease in a file that is called clock": lambda scene: (
        OrderKind.CLOCK,
        scene.chained(OrderKind.LEASE, scene.lease())[1],
    ),
    "an unlock by the recovery key for its last docking": _unlocks(camera_nonce=NOWHERE),
}


def _refused(scene: Scene, attack: Attack) -> None:
    before = scene.state()
    [answer] = scene.host.turn(attack(scene))
    assert isinstance(answer, Acknowledgement)
    assert not answer.applied
    assert scene.state() == before


@pytest.mark.feature("CAM-7")
@pytest.mark.parametrize("attack", list(ON_A_LOCKED_CAMERA))
def test_a_locked_camera_stays_locked(locked: Scene, attack: str) -> None:
    _refused(locked, ON_A_LOCKED_CAMERA[attack])
    assert locked.camera.describe().state is CameraState.LOCKED


@pytest.mark.parametrize("attack", list(ON_A_WORKING_CAMERA))
def test_a_working_camera_keeps_its_lease_and_its_clock(working: Scene, attack: str) -> None:
    _refused(working, ON_A_WORKING_CAMERA[attack])


def test_there_are_forty_of_them_at_least() -> None:
    assert len(ON_A_LOCKED_CAMERA) + len(ON_A_WORKING_CAMERA) >= 40


def test_what_is_attacked_would_work_if_it_were_right(locked: Scene, working: Scene) -> None:
    assert locked.host.one(OrderKind.UNLOCK, locked.signed_unlock()).applied
    assert locked.camera.describe().state is CameraState.READY
    assert working.host.one(*working.chained(OrderKind.LEASE, working.lease())).applied


@pytest.mark.parametrize("back", [timedelta(seconds=59), timedelta(minutes=2), 30 * DAY, 400 * DAY])
def test_a_clock_set_back_makes_no_lease_longer(working: Scene, back: timedelta) -> None:
    core = working.camera.core
    before = core.memory.lease_expires, core.memory.clock_offset_seconds, core.memory.last_seen
    try:
        core.memory.last_seen = core.now()
        core.memory.lease_expires = core.now() - timedelta(seconds=1)
        core.memory.clock_offset_seconds -= back.total_seconds()
        assert core.state() is CameraState.LOCKED
    finally:
        core.memory.lease_expires, core.memory.clock_offset_seconds, core.memory.last_seen = before


def test_a_clock_set_forward_ends_the_lease(working: Scene) -> None:
    core = working.camera.core
    before = core.memory.clock_offset_seconds
    try:
        core.memory.clock_offset_seconds += LEASE.total_seconds()
        assert core.state() is CameraState.LOCKED
    finally:
        core.memory.clock_offset_seconds = before
