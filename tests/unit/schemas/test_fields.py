from __future__ import annotations

from itertools import permutations
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import FieldKind, as_kind, stored_name, widen_kind

KINDS: tuple[FieldKind, ...] = get_args(FieldKind)


@pytest.mark.parametrize(
    ("a", "b", "wide"),
    [
        ("integer", "float", "float"),
        ("float", "integer", "float"),
        ("bool", "integer", "keyword"),
        ("keyword", "float", "keyword"),
        (None, "bool", "bool"),
    ],
)
def test_kinds_widen(a: FieldKind | None, b: FieldKind, wide: FieldKind) -> None:
    assert widen_kind(a, b) == wide


def test_a_kind_is_its_own_width() -> None:
    assert all(widen_kind(kind, kind) == kind for kind in KINDS)


@pytest.mark.parametrize("seen", [("integer", "float"), ("bool", "keyword"), ("bool", "integer"), ("float", "keyword")])
def test_the_order_of_rows_does_not_matter(seen: tuple[FieldKind, ...]) -> None:
    results = set()
    for order in permutations(seen):
        kind: FieldKind | None = None
        for one in order:
            kind = widen_kind(kind, one)
        results.add(kind)
    assert len(results) == 1


@pytest.mark.parametrize(
    ("value", "kind", "stored"),
    [
        (True, "keyword", "true"),
        (7, "keyword", "7"),
        (7.5, "keyword", "7.5"),
        ("x", "keyword", "x"),
        ([1, True, "x"], "keyword", ["1", "true", "x"]),
        (7, "float", 7),
        (7, "integer", 7),
        (False, "bool", False),
    ],
)
def test_values_as_stored(value: Any, kind: FieldKind, stored: Any) -> None:
    assert as_kind(value, kind) == stored
    assert type(as_kind(value, kind)) is type(stored)


@given(st.text(), st.text())
def test_stored_names_are_as_different_as_the_names_and_quotable(a: str, b: str) -> None:
    assert (stored_name(a) == stored_name(b)) == (a == b)
    assert not set(stored_name(a)) & {'"', "\\"}
