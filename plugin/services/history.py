"""Events as people read them: what happened to a thing, who did it, and the hash that holds it in the chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import CameraUser, Event
from . import events
from .events import NAME_DETAIL
from .sentence import Problem, Sentence, problem, sentence

#: A history longer than this is cut, and says so.
HISTORY_LINES = 100
#: Result of what was done, and of what an account of the host was refused; any other result names a problem.
DONE, REFUSED = "done", "refused"


@dataclass(frozen=True)
class EventLine:
    """One event."""

    at: datetime
    what: Sentence
    #: Name of whoever did it; None for what the system did by itself.
    actor: str | None
    #: The host's identifier for that person, which stays when names change.
    actor_id: str
    #: Network address that it was asked from; empty for what the system did by itself.
    address: str
    #: Its stable name, for machines.
    action: str
    #: ``done``, ``refused``, or the name of the problem.
    result: str
    problem: Problem | None
    #: What was written with it, as auditors see it.
    detail: Sequence[tuple[str, str]]
    chain: str
    sequence: int
    hash: str


_ACTIONS: Mapping[str, Sentence] = {
    "camera.new": sentence("Seen for the first time"),
    "camera.docked": sentence("Docked in {bay}"),
    "camera.undocked": sentence("Undocked from {bay}"),
    "camera.added": sentence("Added to the system"),
    "camera.assigned": sentence("Assigned to {camera_user}"),
    "camera.renamed": sentence("Renamed from {before} to {after}"),
    "camera.section-saved": sentence("Fields of the package {package} were saved"),
    "camera.locked": sentence("Found locked"),
    "camera.overdue": sentence("Not docked for {days} days"),
    "camera.locks-soon": sentence("Not docked for {days} days; it locks itself in {days_left} days"),
    "camera.unlock-ordered": sentence("Unlocking was asked for, with the passphrase of the master key"),
    "camera.unlock-delivered": sentence("The camera was told to unlock itself"),
    "camera.removal-asked": sentence("Its removal was asked for; its content is transferred first"),
    "camera.removal-withdrawn": sentence("Its removal was withdrawn"),
    "camera.removed": sentence("Reset and removed from the system"),
    "camera.force-removed": sentence("Removed by force, with the passphrase of the master key"),
    "camera.seen-again": sentence("Docked again after its removal; it can be added anew"),
    "camera.unlocked": sentence("Unlocked; it works again"),
    "system.epoch-raised": sentence("The system goes on in epoch {epoch}, which one of its cameras had seen"),
    "camera.enrolled": sentence("The camera confirmed that it belongs to this system"),
    "camera.files-left": sentence("Listed: {count} remarks about what stays on the camera, and why"),
    "camera.settings-applied": sentence("The camera took over its settings (version {sequence})"),
    "controller.usb-guard-on": sentence("New USB devices are refused from now on, except cameras in bays"),
    "controller.usb-guard-off": sentence("New USB devices are let in again"),
    "usb.refused": sentence("{name} was plugged in at {place} and refused: {kinds}"),
    "dock.added": sentence("Dock {name} was added"),
    "dock.learning": sentence("Learning of bays was begun or ended"),
    "dock.section-saved": sentence("Fields of the package {package} were saved"),
    "dock.renamed": sentence("Renamed from {before} to {after}"),
    "dock.moved": sentence("Moved to position {position}"),
    "dock.forgotten": sentence("Dock {name} was forgotten with its bays"),
    "bay.empty": sentence("Empty"),
    "bay.connecting": sentence("A camera is there and is asked who it is"),
    "bay.new": sentence("A camera is there that does not belong to the system"),
    "bay.locked": sentence("A locked camera is there and waits for the passphrase"),
    "bay.synchronising": sentence("Settings and clock go to the camera"),
    "bay.offloading": sentence("Recordings are being offloaded"),
    "bay.ready": sentence("Ready, safe to undock"),
    "bay.problem": sentence("A camera is there that cannot be emptied"),
    "bay.leaving": sentence("The camera leaves the system once its content is safe"),
    "bay.removed": sentence("A camera is there that left the system"),
    "bay.learned": sentence("{name} of {dock} was learned"),
    "bay.renamed": sentence("Renamed from {before} to {after}"),
    "bay.moved": sentence("Moved to position {position} of {dock}"),
    "bay.forgotten": sentence("{name} of {dock} was forgotten"),
    "bay.place-added": sentence("One more USB place is this bay"),
    "bay.place-removed": sentence("A USB place is no part of this bay any more"),
    "master-key.made": sentence("A master key was made, for a new system"),
    "master-key.restored": sentence("A master key was uploaded; the system it belongs to goes on in epoch {epoch}"),
    "master-key.downloaded": sentence("The master key was downloaded"),
    "master-key.passphrase-changed": sentence("The passphrase of the master key was changed"),
    "system.founded": sentence("Set up"),
    "system.restored": sentence("Restored from its master key, in epoch {epoch}"),
    "setup.begun": sentence("The setup was begun"),
    "setup.step-passed": sentence("The setup passed its step {step}"),
    "account.first-made": sentence("The first account was made, with the token from the console"),
    "account.signed-in": sentence("Signed in"),
    "account.sign-in-refused": sentence("Sign-in refused"),
    "account.signed-out": sentence("Signed out"),
    "account.locked-out": sentence("Locked out after too many wrong passwords"),
    "account.confirmed": sentence("Proved again who they are"),
    "account.confirmation-refused": sentence("Could not prove who they are"),
    "account.password-changed": sentence("The password was changed"),
    "account.password-change-refused": sentence("Changing the password was refused"),
    "account.password-set": sentence("A new password was set for the account"),
    "account.added": sentence("The account was added"),
    "account.role-changed": sentence("The role was changed from {before} to {role}"),
    "account.removed": sentence("The account was removed"),
    "account.sessions-ended": sentence("All sign-ins were ended"),
    "host.lockout-chosen": sentence("What happens after wrong passwords was changed"),
    "audit-log.exported": sentence("A part of the audit log was exported ({format})"),
    "controller.certified": sentence("The controller's key was certified"),
    "profile.created": sentence("Camera profile {name} was created"),
    "profile.changed": sentence("Camera profile {name} was changed to version {version}: {changes}"),
    "profile.made-default": sentence("{name} is the camera profile of new users from now on"),
    "profile.removed": sentence("Camera profile {name} was removed"),
    "user.created": sentence("Camera user {name} was added"),
    "user.renamed": sentence("Camera user {before} is called {after} from now on"),
    "user.id-changed": sentence("Given the user ID {user_id}"),
    "user.id-taken-away": sentence("The user ID {before} was taken away"),
    "user.profile-given": sentence("Given the camera profile {profile}"),
    "user.removed": sentence("Camera user {name} was removed; recordings keep the name"),
    "user.brought-back": sentence("Camera user {name} was brought back"),
    "users.imported": sentence(
        "Camera users were imported from {file}: {added} added, {changed} changed, {brought_back} brought back, "
        "{removed} removed"
    ),
    "users.exported": sentence("The list of camera users was exported"),
    "system.clock-changed": sentence("Date and time were set up, with the time zone {time_zone}"),
    "system.time-set": sentence("The clock was set by hand to {after}"),
    "machine.renamed": sentence("The machine was renamed from {before} to {after}"),
    "machine.addresses-changed": sentence("{interface} was given the address {address}, on trial"),
    "machine.addresses-kept": sentence("The new addresses were kept"),
    "system.limits-changed": sentence(
        "At most {offloads} cameras are offloaded and {uploads} recordings sent at a time"
    ),
    "recording.vanished": sentence("No longer on the camera, although it was not stored"),
    "recording.found": sentence("Listed on the camera; offload decided"),
    "clip.stored": sentence("{clip} stored on the controller, read back and verified"),
    "recording.stored": sentence("All clips stored on the controller"),
    "recording.offload-failed": sentence("Offload failed; the camera keeps the recording"),
    "recording.receipted": sentence("The camera took note that this controller has it"),
    "clip.encrypted": sentence("{clip} encrypted on the controller, because the destination asks for it"),
    "recording.sending": sentence("Sending to {destination} began"),
    "clip.delivered": sentence("{clip} delivered, and its digest confirmed"),
    "recording.delivered": sentence("Complete at the content destination"),
    "recording.upload-failed": sentence("Sending failed; it is tried again"),
    "recording.refused": sentence("Refused by the content destination; kept here"),
    "recording.quarantined": sentence("Put in quarantine; both contents are kept"),
    "recording.completed-in-part": sentence("Complete at the content destination, without what was refused"),
    "recording.tried-again": sentence("Somebody has it sent again"),
    "clip.refused": sentence("{clip} refused by the content destination; kept here"),
    "clip.put-aside": sentence("{clip} put with the destination's rejected content"),
    "clip.opened": sentence("{clip} decrypted and downloaded"),
    "clip.open-refused": sentence("{clip} was not decrypted"),
    "clip.downloaded": sentence("{clip} downloaded"),
    "recording.proof-downloaded": sentence("The proof of delivery was downloaded"),
    "container.created": sentence("The container was made"),
    "container.changed": sentence("Its metadata was sent"),
    "container.completed": sentence("Everything has been sent; nothing changes any more"),
    "object.stored": sentence("{name} was received and stored"),
    "object.changed": sentence("{name} was sent again, or its metadata was"),
    "object.downloaded": sentence("{name} downloaded"),
    "object.overwrite-refused": sentence("Other content was sent as {name}, and refused"),
    "recording.erase-ordered": sentence("The camera was ordered to erase it, with proof of the copies"),
    "recording.erased": sentence("Erased from the camera"),
    "recording.purged": sentence("The controller's copy was given up; the destination has proved its own"),
    "copy.damaged": sentence("{clip} was found damaged on the controller, and put in quarantine"),
    "copy.restored": sentence("{clip} is whole again on the controller"),
    "object.damaged": sentence("{name} was found damaged, and put in quarantine"),
    "object.restored": sentence("{name} is whole again"),
    "evidence.check-requested": sentence("A check of everything was asked for"),
    "evidence.checked": sentence("Everything was checked: {objects} objects read again, {damaged} found damaged"),
    "evidence.finding": sentence("Something that is written is not as it was"),
    "certificate.created": sentence("The certificate {name} was created"),
    "certificate.requested": sentence("A signing request was made for {name}"),
    "certificate.installed": sentence("The certificate {name} was installed"),
    "certificate.activated": sentence("The certificate {name} was activated"),
    "certificate.confirmed": sentence("The certificate {name} was confirmed and stays"),
    "certificate.fell-back": sentence("Nobody confirmed {name} in time; the former certificate is back"),
    "certificate.renewed": sentence("The certificate {name} was renewed"),
    "certificate.deleted": sentence("The certificate {name} was deleted with its key"),
    "events.exported": sentence("The chain of events was exported"),
    "connection-file.exported": sentence("A connection file was handed out"),
    "connection-file.revoked": sentence("A connection file was revoked"),
    "destination.connected": sentence("Connected to {site}"),
    "destination.okay": sentence("Works"),
    "destination.tried-again": sentence("Somebody has it tried again at once"),
    "destination.rehearsed": sentence("Rehearsed at somebody's wish"),
    "destination.proxy-set": sentence("Reached through the proxy {proxy} from now on"),
    "destination.proxy-removed": sentence("Reached without a proxy from now on"),
    "destination.own-certificate": sentence("This server's next certificate is trusted as well"),
    "destination.recognised": sentence("It remembers this system from before"),
    "destination.pushed-again": sentence("Users and cameras are told to it again"),
    "destination.limited": sentence("Uploads were limited to {megabits} Mbit/s"),
    "destination.unlimited": sentence("The limit of uploads was lifted"),
    "destination.clock-differs": sentence("Its clock differs from this system's by {seconds} s"),
    "destination.clock-agrees": sentence("Its clock and this system's agree again"),
    "destination.categories": sentence("Other categories were read"),
    "destination.categories-refused": sentence("Its categories cannot be used; the former ones stay"),
    "destination.waiting": sentence("Cannot be used at the moment; it is tried again"),
    "destination.stopped": sentence("Stopped until somebody mends it"),
}


def history(
    session: Session, kind: str, ids: Sequence[str], *, newest_first: bool = False, limit: int = HISTORY_LINES
) -> list[EventLine]:
    """List what happened to things of one kind; the newest ``limit`` events at most, in the order asked for."""
    query = select(Event).where(Event.object_kind == kind, Event.object_id.in_(ids))
    found = list(session.scalars(query.order_by(Event.at.desc(), Event.sequence.desc()).limit(limit)))
    told = lines(session, found)
    return told if newest_first else told[::-1]


def lines(session: Session, found: Sequence[Event]) -> list[EventLine]:
    """Put events into words, in the order given."""
    users = _users(session, found)
    return [_line(event, users) for event in found]


def actor_name(event: Event) -> str | None:
    """Name whoever did something, as they were called then; None for what the system did by itself."""
    if event.actor == events.SYSTEM:
        return None
    return str(event.detail.get(NAME_DETAIL) or event.actor)


def sentences() -> Mapping[str, Sentence]:
    """Give what each action that is known means, its fields unfilled."""
    return _ACTIONS


def _users(session: Session, found: Sequence[Event]) -> dict[str, str]:
    ids = {str(event.detail["camera_user"]) for event in found if event.detail.get("camera_user")}
    rows = session.scalars(select(CameraUser).where(CameraUser.id.in_(ids)))
    return {user.id: user.name for user in rows}


def _line(event: Event, users: Mapping[str, str]) -> EventLine:
    return EventLine(
        at=event.at,
        what=_what(event, users),
        actor=actor_name(event),
        actor_id=event.actor,
        address=event.address,
        action=event.action,
        result=event.result,
        problem=None if event.result in (DONE, REFUSED) else problem(event.result, event.detail),
        detail=[
            (key, _plain(value))
            for key, value in sorted(event.detail.items())
            if value not in (None, "", []) and key != NAME_DETAIL
        ],
        chain=event.chain_id,
        sequence=event.sequence,
        hash=event.hash,
    )


def _what(event: Event, users: Mapping[str, str]) -> Sentence:
    if event.action == "camera.assigned" and not event.detail.get("camera_user"):
        return sentence("Taken from its user")
    if event.action == "clip.delivered" and event.detail.get("proof") != "verified":
        return sentence("{clip} acknowledged by the destination, without proof", clip=_plain(event.detail.get("clip")))
    known = _ACTIONS.get(event.action)
    if known is None:
        return Sentence(event.action)
    values = {key: _plain(value) for key, value in event.detail.items() if value is not None}
    if "camera_user" in values:
        values["camera_user"] = users.get(values["camera_user"], values["camera_user"])
    return Sentence(known.one, values)


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
