"""A tiny bitmap font, burned into simulated recordings: five by seven dots, capitals, digits and a few signs."""

from __future__ import annotations

import unicodedata
from typing import Final

_ROWS: Final = 7
_COLUMNS: Final = 5

#: Each sign is seven rows from the top, two hexadecimal digits each; the lowest five bits are the dots from the left.
_SIGNS: Final[dict[str, str]] = {
    " ": "00000000000000",
    "0": "0e11131519110e",
    "1": "040c040404040e",
    "2": "0e11010204081f",
    "3": "1f02040201110e",
    "4": "02060a121f0202",
    "5": "1f101e0101110e",
    "6": "0608101e11110e",
    "7": "1f010204080808",
    "8": "0e11110e11110e",
    "9": "0e11110f01020c",
    "A": "0e1111111f1111",
    "B": "1e11111e11111e",
    "C": "0e11101010110e",
    "D": "1c12111111121c",
    "E": "1f10101e10101f",
    "F": "1f10101e101010",
    "G": "0e11101711110f",
    "H": "1111111f111111",
    "I": "0e04040404040e",
    "J": "0702020202120c",
    "K": "11121418141211",
    "L": "1010101010101f",
    "M": "111b1515111111",
    "N": "11111915131111",
    "O": "0e11111111110e",
    "P": "1e11111e101010",
    "Q": "0e11111115120d",
    "R": "1e11111e141211",
    "S": "0f10100e01011e",
    "T": "1f040404040404",
    "U": "1111111111110e",
    "V": "11111111110a04",
    "W": "1111111515150a",
    "X": "11110a040a1111",
    "Y": "1111110a040404",
    "Z": "1f01020408101f",
    "-": "0000001f000000",
    "_": "0000000000001f",
    ":": "000c0c000c0c00",
    ".": "00000000000c0c",
    "/": "00010204081000",
    "?": "0e110102040004",
}


def line_rows(text: str, scale: int, ink: int, paper: int) -> list[bytes]:
    """Draw one line of text as rows of 8-bit luma, with a margin of one dot around it."""
    signs = [_SIGNS.get(sign, _SIGNS["?"]) for sign in _plain(text)]
    blank = bytes([paper]) * (((_COLUMNS + 1) * len(signs) + 1) * scale)
    rows = [blank] * scale
    for row in range(_ROWS):
        rows += [_row(signs, row, scale, ink, paper)] * scale
    return rows + [blank] * scale


def _row(signs: list[str], row: int, scale: int, ink: int, paper: int) -> bytes:
    dots = bytearray([paper] * scale)
    for sign in signs:
        bits = int(sign[2 * row : 2 * row + 2], 16) << 1
        for column in range(_COLUMNS, -1, -1):
            dots += bytes([ink if bits >> column & 1 else paper]) * scale
    return bytes(dots)


def _plain(text: str) -> str:
    """Bring letters with marks down to bare capitals; what the font lacks is drawn as a question mark."""
    apart = unicodedata.normalize("NFKD", text.upper())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))
