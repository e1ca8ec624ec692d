"""What a file of camera users would change, looked at before anything is written. Doing it is in ``user_importing``.

A row is somebody who is here already by its ``id``, else by its user ID, else, where it has neither, by a name that
only one user has. Everybody else in the file is new.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Camera, CameraUser, Profile
from .sentence import Sentence, sentence
from .user_file import Mistake, Row, UserFile, shortened


class Mode(StrEnum):
    """What happens to users who are not in the file."""

    #: Nothing.
    ADD = "add"
    #: They are removed.
    SYNCHRONISE = "synchronise"


class Kind(StrEnum):
    """What an import does with one user."""

    ADD = "add"
    CHANGE = "change"
    #: Was removed before, and is active again.
    BRING_BACK = "bring-back"
    REMOVE = "remove"
    SAME = "same"


@dataclass(frozen=True)
class Step:
    """What is to be done with one user."""

    kind: Kind
    #: Line in the file; None for those who are not in it.
    line: int | None
    #: None for a new user.
    camera_user_id: str | None
    name: str
    user_id: str | None
    profile_id: str | None
    profile: str
    #: Name and user ID until now, where another; and the profile.
    before: str = ""
    profile_before: str = ""
    #: Names of the cameras that belong to nobody afterwards.
    cameras: tuple[str, ...] = ()
    #: Somebody of the same name who is here under another user ID, or none.
    namesake: bool = False


@dataclass(frozen=True)
class Plan:
    """What an import would do; nothing at all while there are mistakes."""

    steps: Sequence[Step]
    mistakes: Sequence[Mistake]

    def count(self, kind: Kind) -> int:
        """Count the users with whom one thing is done."""
        return Counter(step.kind for step in self.steps)[kind]

    @property
    def changes(self) -> Sequence[Step]:
        """Give the steps that do something: removals first, because most is lost by them."""
        order = (Kind.REMOVE, Kind.BRING_BACK, Kind.CHANGE, Kind.ADD)
        return sorted(
            (step for step in self.steps if step.kind is not Kind.SAME), key=lambda one: order.index(one.kind)
        )

    @property
    def fingerprint(self) -> str:
        """Name what would be done, so that nothing else is done than was looked at."""
        return hashlib.sha256(repr([astuple(step) for step in self.steps]).encode()).hexdigest()


_UNKNOWN: Final = sentence("Nobody here has this id. Leave the cell empty for a new user.")
_AMBIGUOUS: Final = sentence("Several users have this name. Give their user IDs, or begin with an export.")
_NO_PROFILE: Final = sentence("There is no camera profile of this name.")
_TWINS: Final = sentence("Another row has this name, and neither has a user ID to tell them apart.")


def plan(session: Session, file: UserFile, mode: Mode) -> Plan:
    """Work out what a file would change; reads only."""
    here = _Here(session)
    steps, mistakes = [], list(file.mistakes)
    for row in file.rows:
        match = _match(here, row)
        profile = here.profiles_by_name.get(row.profile.casefold()) if row.profile else None
        if isinstance(match, Sentence):
            mistakes.append(Mistake(row.line, shortened(row.id or row.name), match))
        elif row.profile and profile is None:
            mistakes.append(Mistake(row.line, shortened(row.profile), _NO_PROFILE))
        else:
            steps.append(_step(here, row, match, profile))
    mistakes += _collisions(here, steps)
    if mistakes:
        return Plan((), sorted(mistakes, key=lambda mistake: mistake.line))
    if mode is Mode.SYNCHRONISE:
        kept = {step.camera_user_id for step in steps}
        steps += [_removal(here, user) for user in here.users if user.active and user.id not in kept]
    return Plan(steps, ())


class _Here:
    """Who and what is here now."""

    def __init__(self, session: Session) -> None:
        self.users = session.scalars(select(CameraUser).order_by(CameraUser.name, CameraUser.id)).all()
        self.by_id = {user.id: user for user in self.users}
        self.by_user_id = {user.user_id: user for user in self.users if user.user_id}
        self.by_name: dict[str, list[CameraUser]] = {}
        for user in self.users:
            if user.active:
                self.by_name.setdefault(user.name, []).append(user)
        self.profiles = {one.id: one for one in session.scalars(select(Profile))}
        self.profiles_by_name = {one.name.casefold(): one for one in self.profiles.values()}
        self.default = next((one for one in self.profiles.values() if one.default), None)
        self.cameras: dict[str, list[str]] = {}
        for name, wearer in session.execute(
            select(Camera.name, Camera.camera_user_id).where(Camera.camera_user_id.is_not(None)).order_by(Camera.name)
        ):
            self.cameras.setdefault(str(wearer), []).append(name)

    def profile_name(self, profile_id: str | None) -> str:
        """Name a user's profile; whoever has none has the default one."""
        found = self.profiles.get(profile_id or "") or self.default
        return found.name if found else ""


def _match(here: _Here, row: Row) -> CameraUser | Sentence | None:
    """Find the user whom a row means: None for a new one, a sentence where that cannot be told."""
    if row.id:
        return here.by_id.get(row.id) or _UNKNOWN
    if row.user_id:
        return here.by_user_id.get(row.user_id)
    named = [one for one in here.by_name.get(row.name, []) if not (row.says_user_id and one.user_id)]
    if len(named) > 1:
        return _AMBIGUOUS
    return named[0] if named else None


def _step(here: _Here, row: Row, user: CameraUser | None, profile: Profile | None) -> Step:
    if user is None:
        given = profile or here.default
        name, is_namesake = here.profile_name(given.id if given else None), row.name in here.by_name
        return Step(
            Kind.ADD, row.line, None, row.name, row.user_id, given.id if given else None, name, namesake=is_namesake
        )
    user_id = row.user_id if row.says_user_id else user.user_id
    profile_id = profile.id if profile and profile.name != here.profile_name(user.profile_id) else user.profile_id
    differs = (row.name, user_id, profile_id) != (user.name, user.user_id, user.profile_id)
    kind = Kind.CHANGE if differs else Kind.SAME
    before = _label(user) if (row.name, user_id) != (user.name, user.user_id) else ""
    return Step(
        kind if user.active else Kind.BRING_BACK,
        row.line,
        user.id,
        row.name,
        user_id,
        profile_id,
        here.profile_name(profile_id),
        before,
        here.profile_name(user.profile_id) if profile_id != user.profile_id else "",
    )


def _removal(here: _Here, user: CameraUser) -> Step:
    cameras, profile = tuple(here.cameras.get(user.id, ())), here.profile_name(user.profile_id)
    return Step(Kind.REMOVE, None, user.id, user.name, user.user_id, user.profile_id, profile, cameras=cameras)


def _collisions(here: _Here, steps: Sequence[Step]) -> list[Mistake]:
    """Find rows about one and the same user, and user IDs that two users would have."""
    found: list[Mistake] = []
    people: dict[str, int] = {}
    numbers: dict[str, int] = {}
    meant = {step.camera_user_id for step in steps}
    others = {number: user.name for number, user in here.by_user_id.items() if user.id not in meant}
    for step in steps:
        wrong = _twin(step, people) or _number_taken(step, numbers, others)
        if wrong is not None:
            found.append(Mistake(step.line or 0, shortened(step.user_id or step.name), wrong))
    return found


def _twin(step: Step, people: dict[str, int]) -> Sentence | None:
    """Tell of an earlier row about the same user; new users with a user ID are told apart by that."""
    if step.camera_user_id is None and step.user_id:
        return None
    person = step.camera_user_id or f"new: {step.name}"
    line = people.setdefault(person, step.line or 0)
    if line == step.line:
        return None
    return sentence("Line {line} is about the same user.", line=line) if step.camera_user_id else _TWINS


def _number_taken(step: Step, numbers: dict[str, int], others: Mapping[str, str]) -> Sentence | None:
    """Tell who else has a user ID: an earlier row, or somebody who is not in the file."""
    if step.user_id is None:
        return None
    line = numbers.setdefault(step.user_id, step.line or 0)
    if line != step.line:
        return sentence("Line {line} has this user ID, too.", line=line)
    if step.user_id in others:
        return sentence("{name} has this user ID, and is not in the file.", name=others[step.user_id])
    return None


def _label(user: CameraUser) -> str:
    return f"{user.name} ({user.user_id})" if user.user_id else user.name
