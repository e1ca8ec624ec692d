"""Help within the product: its topics, and finding words in them. What the topics say is in ``help_topics``."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from . import advice, help_camera, help_topics, help_trouble
from .advice import Advice, Part
from .help_text import Block, Row, Topic
from .sentence import Sentence, sentence

#: The topic with a row for each message of System status.
STATUS_TOPIC = "status-messages"
#: Longer questions are cut off there.
LONGEST_QUESTION = 200

#: Puts a sentence into the reader's language.
Say = Callable[[Sentence], str]


@dataclass(frozen=True)
class Found:
    """A topic in which all words of a question stand."""

    topic: Topic
    #: The line that says most of it; None where the title does.
    line: Sentence | None
    #: Where in the topic that line stands; empty for its beginning.
    anchor: str


def topics() -> Sequence[Topic]:
    """List all topics in the order of the index."""
    return (_status_messages(), *help_camera.ALL, *help_topics.ALL, *help_trouble.ALL)


def topic(topic_id: str) -> Topic | None:
    """Give one topic, or None."""
    return next((one for one in topics() if one.id == topic_id), None)


def search(question: str, say: Say) -> Sequence[Found]:
    """Find the topics in which every word of a question stands, in the reader's language; titles first."""
    words = _folded(question[:LONGEST_QUESTION]).split()
    if not words:
        return ()
    found = [(hits, one) for hits, one in (_look(topic, words, say) for topic in topics()) if one is not None]
    return [one for _, one in sorted(found, key=lambda pair: -pair[0])]


def _look(topic: Topic, words: Sequence[str], say: Say) -> tuple[int, Found | None]:
    """Count how many words the title has, and give the best line, if all words stand somewhere."""
    title = _folded(f"{say(topic.title)} {say(topic.words)}")
    lines = [(anchor, line, _folded(say(line))) for anchor, line in _lines(topic)]
    everything = " ".join((title, *(text for _, _, text in lines)))
    if not all(word in everything for word in words):
        return 0, None
    in_title = sum(word in title for word in words)
    anchor, line, text = max(lines, key=lambda entry: _hits(entry[2], words))
    if not _hits(text, words):
        return in_title, Found(topic, None, "")
    return in_title, Found(topic, line, anchor)


def _hits(text: str, words: Sequence[str]) -> int:
    return sum(word in text for word in words)


def _lines(topic: Topic) -> Iterator[tuple[str, Sentence]]:
    for block in topic.blocks:
        yield from (("", line) for line in (*block.lines, *block.steps, *block.points))
        yield from ((row.id, cell) for row in block.rows for cell in row.cells)


def _folded(text: str) -> str:
    """Let case and accents not matter."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _status_messages() -> Topic:
    heads = {
        Part.CAMERAS: sentence("Cameras"),
        Part.CONTROLLERS: sentence("System controllers"),
        Part.DESTINATION: sentence("Content destination"),
    }
    return Topic(
        STATUS_TOPIC,
        sentence("Messages of System status"),
        sentence("okay error warning cause solution"),
        tuple(_table(heads[part], [one for one in advice.ALL if one.part is part]) for part in Part),
    )


def _table(heading: Sentence, advices: Sequence[Advice]) -> Block:
    return Block(
        heading=heading,
        head=(sentence("Message"), sentence("Probable cause"), sentence("What to do")),
        rows=tuple(Row(one.id, (one.label, one.cause, one.solution)) for one in advices),
    )
