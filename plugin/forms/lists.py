"""What stands in the address of a list: search, filter, sort, page. What makes no sense is taken for its default."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

_LONGEST_SEARCH = 100
_LARGEST_PAGE = 1_000_000

Choice = TypeVar("Choice", bound=StrEnum)


def search_text(args: Mapping[str, str]) -> str:
    """Read what is searched for."""
    return args.get("q", "").replace("\0", "").strip()[:_LONGEST_SEARCH]


def page_number(args: Mapping[str, str], name: str = "page") -> int:
    """Read the number of a page, from 1."""
    text = args.get(name, "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 7 else 1
    return max(1, min(number, _LARGEST_PAGE))


def choice(args: Mapping[str, str], name: str, default: Choice) -> Choice:
    """Read one of a few values."""
    try:
        return type(default)(args.get(name, default))
    except ValueError:
        return default
