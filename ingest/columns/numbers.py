"""Numbers as people and spreadsheets write them: with a decimal comma, with separators between thousands."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import Literal, NamedTuple

from schemas import one_number

Decimal = Literal[".", ","]

_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?", re.ASCII)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")
_POINT = re.compile(r"-?(?:0|[1-9][0-9]{0,2}(?:,[0-9]{2,3})*,[0-9]{3}|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?")
_COMMA = re.compile(r"-?(?:0|[1-9][0-9]{0,2}(?:\.[0-9]{3})+|[1-9][0-9]{0,14})(?:,[0-9]{1,15})?")
_LOOSE = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?")
_SPACED = re.compile(r"[0-9]{1,3}(?:[ '][0-9]{3})+(?:[.,][0-9]+)?")

NOTHING = frozenset(
    {
        "null",
        "\\n",
        "nan",
        "none",
        "n/a",
        "#n/a",
        "na",
        "n.a.",
        "k.a.",
        "nil",
        "undefined",
        "-",
        "\u2013",
        "\u2014",
        "--",
    }
    | {"?", "unknown", "tbd", "tba", "not available", "unbekannt", "inconnu", "desconocido"}
)
"""What exports write where there is no number."""


def is_nothing(cell: str) -> bool:
    return len(cell) < 16 and cell.strip().lower() in NOTHING


def spaced(digits: str) -> str:
    """Digits without the spaces and apostrophes between thousands."""
    return re.sub("[ ']", "", digits) if _SPACED.fullmatch(digits) else digits


def to_number(cell: str, decimal: Decimal) -> int | float | None:
    """A number in its one form; None for what is none: ``007`` and a run of sixteen digits among them."""
    if decimal == "." and _PLAIN.fullmatch(cell):  # nearly all of them
        return one_number(float(cell)) if "." in cell else int(cell)
    cell = cell.strip()
    if decimal == ",":
        text = cell.replace(".", "").replace(",", ".") if _COMMA.fullmatch(cell) else None
    else:
        text = cell.replace(",", "") if _POINT.fullmatch(cell) else None
    if text is None:  # what a column of numbers may hold all the same: 1e-3, +5
        return one_number(float(cell)) if _LOOSE.fullmatch(cell) and not re.match(r"[+-]?0[0-9]", cell) else None
    return one_number(float(text)) if "." in text else int(text)


class Shape(NamedTuple):
    """How a cell of a table may be read: ``1.5`` has a point, ``1,5`` a comma, ``1.234`` and ``1,234`` may be either.

    ``decimals`` are the digits behind its mark, ``zeros`` says that they end in a zero, and ``whole`` that they are
    nothing but zeros.
    """

    kind: Literal["integer", "point", "comma", "dotted", "commaed", "bool", "text"]
    decimals: int = 0
    zeros: bool = False
    whole: bool = False


@lru_cache(65_536)
def shape_of(cell: str) -> Shape | None:
    """None for a cell that says that there is nothing."""
    if is_nothing(cell):
        return None
    cell = cell.strip()
    if _INTEGER.fullmatch(cell):
        return Shape("integer", whole=True)
    point, comma = _POINT.fullmatch(cell) is not None, _COMMA.fullmatch(cell) is not None
    if not (point or comma):
        return Shape("bool" if cell.lower() in ("true", "false") else "text")
    if point and comma:
        return Shape("dotted" if "." in cell else "commaed", 3, cell.endswith("0"), cell.endswith("000"))
    _, mark, decimals = cell.rpartition("." if point else ",")
    if not mark:  # separators of thousands alone
        return Shape("point" if point else "comma", whole=True)
    return Shape("point" if point else "comma", len(decimals), decimals.endswith("0"), not decimals.strip("0"))


class Cells:
    """What the cells of a column of a table are, counted: text alone says nothing of its kind.

    A cell counts as a number only where a number says as much as it does: no zeros lost in front or behind (but those
    of a column whose cells all have as many decimals), no exponent, no plus, no more digits than a number holds.

    Args:
        codes: The column's name says that it holds codes, which are text whatever they look like.
    """

    def __init__(self, *, codes: bool = False) -> None:
        self._codes = codes
        self._shapes: Counter[Shape] = Counter()

    def see(self, cell: str) -> bool:
        """Whether it says anything."""
        shape = shape_of(cell)
        if shape is None:
            return False
        if self._codes:
            shape = Shape("text")
        self._shapes[shape] += 1
        return True

    @property
    def _kinds(self) -> Counter[str]:
        kinds: Counter[str] = Counter()
        for shape, count in self._shapes.items():
            kinds[shape.kind] += count
        return kinds

    @property
    def says(self) -> Decimal | None:
        """What decimals are, where this column is one of numbers and shows it."""
        kinds = self._kinds
        return None if 10 * (kinds["text"] + kinds["bool"]) > kinds.total() else self._decimal()

    def _decimal(self) -> Decimal | None:
        kinds = self._kinds
        points, commas = kinds["point"], kinds["comma"]
        return "." if points > 10 * commas else "," if commas > 10 * points else None

    def decimal(self, usual: Decimal | None) -> Decimal | None:
        """What decimals are read as; None where it cannot be said."""
        kinds = self._kinds
        if kinds["point"] or kinds["comma"]:
            return self._decimal()
        return usual if kinds["dotted"] or kinds["commaed"] else "."

    @property
    def separated(self) -> bool:
        """Whether some of the numbers have a point or a comma."""
        return not self._kinds.keys().isdisjoint(("point", "comma", "dotted", "commaed"))

    @property
    def whole(self) -> bool:
        """Whether there are whole numbers among the cells, written as such."""
        return self._kinds["integer"] > 0

    def votes(self, usual: Decimal | None) -> Counter[str]:
        """How many of the cells say which kind: see ``ingest.columns.kinds``."""
        decimal = self.decimal(usual)
        reading = {".": ("point", "commaed", "dotted"), ",": ("comma", "dotted", "commaed")}
        one, thousands, fraction = reading[decimal] if decimal else ("", "", "")
        decimals = {shape.decimals for shape in self._shapes if shape.kind in (one, fraction) and shape.decimals}
        fixed = len(decimals) <= 1
        votes: Counter[str] = Counter()
        for shape, count in self._shapes.items():
            if shape.kind == "bool":
                vote = "bool"
            elif shape.kind in ("integer", thousands):
                vote = "integer"
            elif shape.kind not in (one, fraction):
                vote = "text"
            elif shape.zeros and not fixed and not shape.whole:
                vote = "cut"
            else:
                vote = "integer" if shape.whole else "float"
            votes[vote] += count
        return votes
