"""A message about something that needs a person, and the card of a part of the system that it stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .advice import Advice
from .sentence import Sentence, Tone, loudest


@dataclass(frozen=True)
class Message:
    """Something that needs a person, and the page that mends it."""

    tone: Tone
    #: What this kind of message means.
    advice: Advice
    title: Sentence
    text: Sentence | None
    #: What the link says.
    action: Sentence
    endpoint: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> Sentence:
        """Give its one or two words."""
        return self.advice.label


@dataclass(frozen=True)
class Card:
    """One part of the system."""

    messages: Sequence[Message]
    #: The number that says most, and what it counts; None where there is nothing to count.
    figure: Sentence | None
    summary: Sequence[Sentence]
    #: How much storage is free, for a bar; None where nobody knows, or there is none.
    free_percent: int | None = None

    @property
    def tone(self) -> Tone:
        """Give the tone of the loudest message; Okay when there is none."""
        return loudest([message.tone for message in self.messages])
