"""Paths of indexed fields in a point's payload, for both engines."""

from __future__ import annotations

from schemas import stored_name

TITLE = "title"
TITLE_KEY = "title_key"
CODES = "codes"
CODE_PARTS = "code_parts"
TERMS = "terms"
SUBJECT_TERMS = "subject_terms"
DECISION = "moderation"
ACTION = "moderation.action"
PREDICTED = "predicted"
"""What label sets say of a product, by their names; the labels are fields as well, so that they can be filtered by."""
IMAGE_HASH = "pictures[].hash"


def field_path(name: str) -> str:
    """Where a filterable field lies, quoted so that any name will do; and titles, which can be sorted by."""
    if name == TITLE:
        return TITLE_KEY
    return f'fields."{stored_name(name)}"'
