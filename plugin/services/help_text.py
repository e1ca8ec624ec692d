"""What help is made of: topics of blocks, in sentences that pages translate."""

from __future__ import annotations

from dataclasses import dataclass

from .sentence import Sentence


@dataclass(frozen=True)
class Row:
    """A row of a table; its id is where links lead, and what tests call it."""

    id: str
    cells: tuple[Sentence, ...]


@dataclass(frozen=True)
class Block:
    """A piece of a topic: any of plain lines, steps in their order, points in any order, and a table."""

    heading: Sentence | None = None
    lines: tuple[Sentence, ...] = ()
    steps: tuple[Sentence, ...] = ()
    points: tuple[Sentence, ...] = ()
    head: tuple[Sentence, ...] = ()
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Topic:
    """One page of help."""

    #: Stands in addresses.
    id: str
    title: Sentence
    #: What people may look for beside the title.
    words: Sentence
    blocks: tuple[Block, ...]
