"""A page of sections, each with charts, tables and cards, in one file that opens from a disk or a mail.

It asks nobody for anything, and runs nothing but its own sliders (``page.js``); its JSON is beside it, under the same
name.
"""

from __future__ import annotations

import base64
import hashlib
import json
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from evaluation.report.charts import Chart
from schemas import ConfigurationError, __version__
from schemas.files import replace_file

_HERE = Path(__file__).parent
_IMAGES = 16
"""Of a card."""

Row = TypeVar("Row")

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that a page begins with."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers are shown to three places. With a ``fold`` it is folded up under that name."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    fold: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A product: ``good`` says whether it is what was wanted, where that is known."""

    id: str
    title: str
    image: str | None
    good: bool | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """What was asked, or is told of, and rows of products by their names."""

    title: str
    note: str
    rows: Mapping[str, Sequence[Shown]]
    image: str | None = None
    wide: bool = False
    """Of the whole page's width, for many products."""
    wrong: str = "not asked for"


def image_card(title: str, rows: Sequence[Row], shown: Callable[[Row], Shown]) -> Card:
    """The first images of some that were judged, and how many there are."""
    return Card(title, f"{len(rows):,} images", {"": [shown(row) for row in rows[:_IMAGES]]}, wide=True, wrong="wrong")


@dataclass(frozen=True, slots=True)
class Cutoff:
    """A threshold that can be moved, with the confusion matrix that follows it.

    Args:
        kind: What is said of the matrix: of ``labels`` accuracy, of a ``policy`` precision and recall.
        rows: What things are; of a policy two, what violates it and what does not.
        columns: What they are taken for: the last one is what is below the threshold.
        cases: By what is judged, as a rule's name, the threshold to start at and the things: ``(row, column, score)``.
    """

    title: str
    kind: Literal["labels", "policy"]
    rows: Sequence[str]
    columns: Sequence[str]
    cases: Mapping[str, tuple[float, Sequence[tuple[int, int, float]]]]

    @property
    def data(self) -> str:
        """What the script of the page reads: no text in it can end its element."""
        choices = {name: {"start": start, "cases": cases} for name, (start, cases) in self.cases.items()}
        content = {"rows": self.rows, "columns": self.columns, "choices": choices}
        return json.dumps(content).replace("<", "\\u003c")


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    lead: str = ""
    figures: Sequence[Figure] = ()
    charts: Sequence[Chart] = ()
    cutoffs: Sequence[Cutoff] = ()
    tables: Sequence[Table] = ()
    cards: Sequence[Card] = ()


@dataclass(frozen=True, slots=True)
class ReportPage:
    """``facts`` say of what the page is."""

    title: str
    facts: Mapping[str, str]
    sections: Sequence[Section] = field(default_factory=list)


def add_report(command: ArgumentParser) -> None:
    command.add_argument(
        "--report", type=Path, metavar="FILE.html", help="Write a page of it, and the same as JSON into FILE.json."
    )


def check_report(path: Path) -> Path:
    """Told before anything is measured, not minutes later.

    Raises:
        ConfigurationError: the name is none of a page, or its folder is not there.
    """
    if path.suffix.lower() not in (".html", ".htm") or not path.parent.is_dir():
        raise ConfigurationError(f"--report {path}: name an .html file in a folder that is there")
    return path


def write_report(path: Path, page: ReportPage, document: Mapping[str, Any]) -> None:
    """Write the page, and ``document`` beside it as JSON, each in one step.

    Raises:
        ConfigurationError: the disk does not take them.
    """
    try:
        replace_file(path, render(page))
        replace_file(path.with_suffix(".json"), json.dumps(document, ensure_ascii=False, indent=1).encode())
    except OSError as error:
        raise ConfigurationError(f"the report could not be written to {path}: {error}") from error


def render(page: ReportPage) -> bytes:
    """The page as HTML."""
    style, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    moved = any(section.cutoffs for section in page.sections)
    return (
        _template()
        .render(
            page=page,
            style=style,
            style_digest=_digest(style),
            script=script if moved else None,
            script_digest=_digest(script),
            now=datetime.now(UTC),
            version=__version__,
        )
        .encode("utf-8", "replace")
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["cell"] = _cell
    environment.tests["numeric"] = lambda cell: isinstance(cell, int | float)
    return environment.get_template("page.html")


def _cell(cell: Cell) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return f"{cell:.3f}"
    return f"{cell:,}" if isinstance(cell, int) else cell
