"""What is left to do after the wizard, until a first camera can be worn (SET-12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from ..models import Belonging, Camera, CameraUser, Dock, Profile
from . import systems
from .sentence import Sentence, sentence


@dataclass(frozen=True)
class Task:
    """One thing to do, and where it is done."""

    done: bool
    title: Sentence
    hint: Sentence
    endpoint: str
    anchor: str
    permission: str


def left_to_do(session: Session) -> Sequence[Task]:
    """List everything, with what is done already; empty when all is done, and for a system made to be looked at."""
    system = systems.find(session)
    if system is None or system.demonstration:
        return ()
    tasks = _tasks(session, downloaded=system.master_key_downloaded_at is not None)
    return () if all(task.done for task in tasks) else tasks


def _tasks(session: Session, *, downloaded: bool) -> list[Task]:
    added = Camera.belonging == Belonging.ADDED
    return [
        Task(
            downloaded,
            sentence("Download the master key"),
            sentence("A system that failed cannot give it to you any more."),
            "master_key",
            "",
            "bodyworn.system",
        ),
        Task(
            _any(session, Profile.id.is_not(None)),
            sentence("Camera profile"),
            sentence("What cameras record, and how. Three profiles are there to start from."),
            "profiles",
            "",
            "bodyworn.view",
        ),
        Task(
            _any(session, Dock.id.is_not(None)),
            sentence("Add a dock"),
            sentence("The controller then learns its bays."),
            "docks",
            "add-dock",
            "bodyworn.devices",
        ),
        Task(
            _any(session, added),
            sentence("Add cameras"),
            sentence("Dock a camera and wait until its lights flash amber; it shows under New cameras."),
            "devices",
            "new",
            "bodyworn.devices",
        ),
        Task(
            _any(session, CameraUser.active.is_(True)),
            sentence("Create camera users"),
            sentence("Enter whoever wears cameras, one by one or from a file."),
            "users",
            "add-user",
            "bodyworn.devices",
        ),
        Task(
            _any(session, added, Camera.camera_user_id.is_not(None)),
            sentence("Assign a camera to a user"),
            sentence("A camera without a user does not record."),
            "devices",
            "cameras",
            "bodyworn.devices",
        ),
    ]


def _any(session: Session, *conditions: ColumnElement[bool]) -> bool:
    return bool(session.scalar(select(exists().where(*conditions))))
