"""Labelled queries: what is asked, and which products answer it how well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas import ConfigurationError, clean_code


def _clean_ids(grades: dict[str, int]) -> dict[str, int]:
    return {clean_code(id): grade for id, grade in grades.items()}


class LabelledQuery(BaseModel):
    """One line of a query file. Other keys are notes and not read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    qid: str
    kind: str
    query: str | None = None
    image: str | None = Field(None, description="A photo, relative to the query file.")
    filter: dict[str, Any] | None = None
    relevant: Annotated[dict[str, int], AfterValidator(_clean_ids)] = Field(
        min_length=1, description="Product id -> grade, higher is better."
    )

    @model_validator(mode="after")
    def _asks(self) -> LabelledQuery:
        if not self.query and not self.image:
            raise ValueError("needs a query, an image, or both")
        return self


def read_queries(path: Path) -> list[LabelledQuery]:
    """The queries of a JSONL file.

    Raises:
        ConfigurationError: the file is missing, empty, or a line is not a labelled query.
    """
    queries = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read the queries in {path}: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            queries.append(LabelledQuery.model_validate(json.loads(line)))
        except (ValidationError, json.JSONDecodeError) as error:
            reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.msg
            raise ConfigurationError(f"{path}, line {number}: {reason}") from error
    if not queries:
        raise ConfigurationError(f"{path} has no queries")
    return queries
