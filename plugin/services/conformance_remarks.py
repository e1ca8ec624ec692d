"""What a check of the camera volume format says: faults and notes, each with its place and the section it is about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType

from ..camera_volume import beneath
from ..errors import BodywornError


class Severity(StrEnum):
    """How bad a remark is."""

    #: The format says otherwise; a host would refuse this, or be misled by it.
    FAULT = "fault"
    #: Allowed, and worth knowing.
    NOTE = "note"


@dataclass(frozen=True)
class Remark:
    """One thing that was seen, where, and the section of the format that it is about."""

    severity: Severity
    section: int
    path: str
    sentence: str


class Remarks:
    """Collects remarks while the parts are checked."""

    def __init__(self) -> None:
        self.all: list[Remark] = []

    def fault(self, section: int, path: str, sentence: str) -> None:
        """Write down what the format does not allow."""
        self.all.append(Remark(Severity.FAULT, section, beneath.printable(path), sentence))

    def note(self, section: int, path: str, sentence: str) -> None:
        """Write down what is allowed and worth knowing."""
        self.all.append(Remark(Severity.NOTE, section, beneath.printable(path), sentence))

    def faulting(self, section: int, path: str) -> _Faulting:
        """Make a fault of an error of the tree that is raised in the block, and go on after it."""
        return _Faulting(self, section, path)


@dataclass(frozen=True)
class _Faulting:
    remarks: Remarks
    section: int
    path: str

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Take an error of the tree, and let any other go on."""
        if not isinstance(error, BodywornError):
            return False
        self.remarks.fault(self.section, self.path, str(error))
        return True
