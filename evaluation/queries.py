"""Labelled queries: what is asked, how often, and which products answer it how well.

A line of the file is a JSON object. It asks with ``query`` (words), ``image`` (a file, relative to this one), or both,
under an optional ``filter``; ``relevant`` has the products that answer it, ``{id: grade}``, or a list where all are as
good. Optional are ``kind``, by which queries are reported, ``qid``, and ``frequency``, how often it is asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    ValidationError,
    field_validator,
    model_validator,
)

from schemas import ConfigurationError, SearchRequest, clean_code

Model = TypeVar("Model", bound=BaseModel)


def _graded(relevant: Any) -> Any:
    """A list of ids as grades; anything else is left for pydantic to refuse."""
    ids = isinstance(relevant, list) and all(isinstance(id, str) for id in relevant)
    return dict.fromkeys(relevant, 1) if ids else relevant


class LabelledQuery(BaseModel):
    """One line of a query file. Other keys are notes and not read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    qid: str
    kind: str
    query: str | None = Field(None, validation_alias=AliasChoices("query", "text"))
    image: str | None = Field(None, description="A query image, relative to the query file.")
    filter: dict[str, Any] | None = None
    relevant: Annotated[dict[str, NonNegativeInt], BeforeValidator(_graded)] = Field(
        min_length=1, description="Product id -> grade, higher is better; 0 is judged and not relevant."
    )
    frequency: float = Field(1.0, gt=0, allow_inf_nan=False, description="What it counts in means.")
    line: int = Field(0, description="Of the file, from 1.")

    @model_validator(mode="before")
    @classmethod
    def _named(cls, row: Any) -> Any:
        """By its line where it has no name, and of the kind of what it asks with where none is given."""
        if not isinstance(row, dict):
            return row
        asks = [name for name, keys in (("text", ("query", "text")), ("image", ("image",))) if any(map(row.get, keys))]
        return {"qid": f"line {row.get('line', 0)}", "kind": "+".join(asks), **row}

    @field_validator("relevant")
    @classmethod
    def _clean_ids(cls, grades: dict[str, int]) -> dict[str, int]:
        if not any(grades.values()):
            raise ValueError("nothing is relevant: no grade is above 0")
        return {clean_code(id): grade for id, grade in grades.items()}

    @model_validator(mode="after")
    def _asks(self) -> LabelledQuery:
        if not self.query and not self.image:
            raise ValueError("needs a query, an image, or both")
        self.request()
        return self

    def request(self, **options: Any) -> SearchRequest:
        """What is asked, but for the image."""
        return SearchRequest(text=self.query, filter=self.filter, **options)


def read_queries(path: Path) -> list[LabelledQuery]:
    """The queries of a JSONL file.

    Raises:
        ConfigurationError: the file is missing or empty, or a line, which is named, is not a labelled query, repeats
            one, or has an image that is not there.
    """
    queries: dict[str, LabelledQuery] = {}
    for query in read_lines(path, LabelledQuery, "queries"):
        if query.qid in queries:
            raise at_line(path, query.line, f"qid {query.qid!r} is that of line {queries[query.qid].line} as well")
        if query.image is not None and not (path.parent / query.image).is_file():
            raise at_line(path, query.line, f"there is no image {query.image}")
        queries[query.qid] = query
    return list(queries.values())


def read_lines(path: Path, model: type[Model], things: str) -> Iterator[Model]:
    """The lines of a JSONL file, each with its number as ``line``; blank ones are left out.

    Args:
        things: What the lines are, for messages.

    Raises:
        ConfigurationError: the file cannot be read, has no lines, or one, which is named, is not a ``model``.
    """
    try:
        # Not splitlines: JSON may have other separators of lines inside its strings.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read the {things} in {path}: {error}") from error
    if not any(map(str.strip, lines)):
        raise ConfigurationError(f"{path} has no {things}")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield model.model_validate({**row, "line": number} if isinstance(row, dict) else row)
        except (json.JSONDecodeError, RecursionError) as error:
            raise at_line(path, number, f"is not JSON: {error}") from error
        except ValidationError as error:
            raise at_line(path, number, _what_is_wrong(error)) from error


def at_line(path: Path, number: int, reason: str) -> ConfigurationError:
    return ConfigurationError(f"{path}, line {number}: {reason}")


def _what_is_wrong(error: ValidationError) -> str:
    wrong = error.errors(include_url=False)[0]
    place = ".".join(map(str, wrong["loc"]))
    return f"{place}: {wrong['msg']}" if place else wrong["msg"]
