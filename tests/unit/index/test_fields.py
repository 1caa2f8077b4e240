from __future__ import annotations

from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import FieldKind, as_kind, stored_name, widen_kind

KINDS: tuple[FieldKind, ...] = get_args(FieldKind)


def test_kinds_only_widen() -> None:
    assert [widen_kind(None, kind) for kind in KINDS] == list(KINDS)
    for a, b in product(KINDS, KINDS):
        wide = widen_kind(a, b)
        assert wide == widen_kind(b, a)
        assert wide == widen_kind(wide, a) == widen_kind(wide, b)
    assert widen_kind("integer", "float") == "float"
    assert {widen_kind("bool", kind) for kind in ("integer", "float", "keyword")} == {"keyword"}


@pytest.mark.parametrize(
    ("value", "text"), [("x", "x"), (True, "true"), (7, "7"), (7.5, "7.5"), ([1, False, "x"], ["1", "false", "x"])]
)
def test_values_become_text_in_keyword_fields_only(value: object, text: object) -> None:
    assert as_kind(value, "keyword") == text  # type: ignore[arg-type]
    assert as_kind(value, "float") is value  # type: ignore[arg-type]


@given(st.text(), st.text())
def test_stored_names_are_distinct_and_quotable(a: str, b: str) -> None:
    assert (stored_name(a) == stored_name(b)) == (a == b)
    assert not set('"\\') & set(stored_name(a))
