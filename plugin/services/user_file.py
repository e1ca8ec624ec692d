"""Camera users as a file: CSV as spreadsheets write and read it. What a file would change is in ``user_import``.

Reading is strict: a row that was misread becomes somebody else's recordings. Each mistake is told with its line.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import (
    BodywornError,
    UserFileColumns,
    UserFileEmpty,
    UserFileEncoding,
    UserFileQuotes,
    UserFileTooLarge,
)
from ..models import CameraUser, Profile
from .person_names import name_of, user_id_of
from .sentence import Sentence, sentence

LARGEST_BYTES: Final = 4 * 1024 * 1024
MOST_ROWS: Final = 20_000
#: Columns of an export. ``id`` says which user a row is about, whatever else changes in it.
COLUMNS: Final = ("id", "name", "user_id", "profile")
_TEMPLATE: Final = ("name", "user_id", "profile")
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DELIMITERS: Final = (",", ";", "\t")
#: Spreadsheets take what begins like this for a formula; an apostrophe before it keeps them from it.
_FORMULA: Final = ("=", "+", "-", "@")
#: So much of a cell is shown.
_SHOWN: Final = 60
#: What spreadsheets make of long numbers.
_SHORTENED: Final = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Row:
    """One user of a file."""

    #: Line on which it ends in the file, from 1.
    line: int
    #: Identifier of a user here; empty where the file gives none.
    id: str
    name: str
    user_id: str | None
    #: Whether the file has that column; only then does an empty cell take a user ID away.
    says_user_id: bool
    #: Name of the profile; empty to leave it as it is.
    profile: str


@dataclass(frozen=True)
class Mistake:
    """Something that has to be corrected in a file before anything of it is taken."""

    line: int
    #: What stands there, shortened.
    cell: str
    what: Sentence


@dataclass(frozen=True)
class UserFile:
    """What a file says."""

    rows: Sequence[Row]
    mistakes: Sequence[Mistake]


def template() -> bytes:
    """Give the empty file to fill in, with the mark by which spreadsheets know UTF-8."""
    return codecs.BOM_UTF8 + _line(_TEMPLATE)


def export(session: Session) -> Iterator[bytes]:
    """Write all users who were not removed, by name; importing the file again changes nothing."""
    yield codecs.BOM_UTF8 + _line(COLUMNS)
    profiles = {one.id: one.name for one in session.scalars(select(Profile))}
    rows = select(CameraUser).where(CameraUser.active).order_by(CameraUser.name, CameraUser.id)
    for user in session.scalars(rows.execution_options(yield_per=500)):
        yield _line((user.id, user.name, user.user_id or "", profiles.get(user.profile_id or "", "")))


def read(data: bytes) -> UserFile:
    """Read a file whole.

    :raises UserFileTooLarge: or UserFileEncoding, UserFileQuotes, UserFileColumns, UserFileEmpty.
    """
    if len(data) > LARGEST_BYTES:
        raise UserFileTooLarge(rows=MOST_ROWS, size_mib=LARGEST_BYTES // 1024**2)
    records = list(_records(_decode(data)))
    if len(records) < 2:
        raise UserFileEmpty
    if len(records) - 1 > MOST_ROWS:
        raise UserFileTooLarge(rows=MOST_ROWS, size_mib=LARGEST_BYTES // 1024**2)
    (_, header), *rows = records
    return _read_rows(_columns(header), rows)


def shortened(cell: str) -> str:
    """Give as much of a cell as a page shows."""
    return cell if len(cell) <= _SHOWN else f"{cell[:_SHOWN]}…"


def _decode(data: bytes) -> str:
    try:
        text = data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserFileEncoding from error
    if "\0" in text:
        raise UserFileEncoding
    return text


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Cut a text into rows with their lines; empty ones are left out."""
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise UserFileQuotes(line=reader.line_num) from error


def _columns(header: Sequence[str]) -> Sequence[str]:
    names = [cell.strip().lower().replace(" ", "_") for cell in header]
    while names and not names[-1]:
        names.pop()
    if "name" not in names or not set(names) <= set(COLUMNS) or len(set(names)) < len(names):
        raise UserFileColumns(found=shortened(", ".join(names)))
    return names


def _read_rows(columns: Sequence[str], records: Iterable[tuple[int, list[str]]]) -> UserFile:
    rows, mistakes = [], []
    for line, cells in records:
        while len(cells) > len(columns) and not cells[-1].strip():
            cells.pop()
        if len(cells) != len(columns):
            what = sentence(
                "This row has {n} cells, and the first row has {wanted}.", n=len(cells), wanted=len(columns)
            )
            mistakes.append(Mistake(line, shortened(cells[0]), what))
            continue
        row, wrong = _read_row(line, dict(zip(columns, map(_without_apostrophe, cells), strict=True)))
        mistakes.extend(wrong)
        if not wrong:
            rows.append(row)
    return UserFile(rows, mistakes)


def _read_row(line: int, cells: dict[str, str]) -> tuple[Row, list[Mistake]]:
    wrong: list[Mistake] = []
    name = _kept(line, cells["name"], name_of, "", wrong)
    user_id = _kept(line, cells.get("user_id", ""), user_id_of, None, wrong)
    wrong += [Mistake(line, shortened(cell), what) for cell in cells.values() if (what := _suspicion(cell)) is not None]
    row = Row(line, cells.get("id", "").strip(), name, user_id, "user_id" in cells, cells.get("profile", "").strip())
    return row, wrong


def _kept(line: int, cell: str, keep: Callable[[str], Kept], otherwise: Kept, wrong: list[Mistake]) -> Kept:
    try:
        return keep(cell)
    except BodywornError as error:
        wrong.append(Mistake(line, shortened(cell), Sentence(error.sentence, error.values)))
        return otherwise


def _suspicion(cell: str) -> Sentence | None:
    """Tell of what a program has done to a cell before it came here."""
    if _SHORTENED.fullmatch(cell.strip()):
        return sentence("A spreadsheet has shortened this number. Format the column as text and enter it again.")
    return sentence("This was in UTF-8 and was read as something else before.") if _was_misread(cell) else None


def _was_misread(cell: str) -> bool:
    """Tell whether letters beyond ASCII are the bytes of others: as if UTF-8 had been taken for Windows' encoding."""
    if cell.isascii():
        return False
    try:
        return len(cell.encode("cp1252").decode("utf-8")) < len(cell)
    except UnicodeError:
        return False


def _without_apostrophe(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _is_formula(cell) else cell


def _is_formula(cell: str) -> bool:
    """Tell whether a cell is kept from being a formula by an apostrophe, or has to be."""
    return cell.lstrip("'").startswith(_FORMULA)


def _line(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow([f"'{cell}" if _is_formula(cell) else cell for cell in cells])
    return line.getvalue().encode()
