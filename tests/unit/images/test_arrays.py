"""Vectors that cannot be compared are refused by what is wrong with them."""

from __future__ import annotations

import re

import numpy as np
import pytest

from images.arrays import Vectors, check_vectors
from schemas import BadVectors


def _unit_rows() -> Vectors:
    return np.eye(3, 4, dtype=np.float32)


@pytest.mark.parametrize("vectors", [_unit_rows(), _unit_rows()[0], np.zeros((0, 4), np.float32)])
def test_unit_rows_pass(vectors: Vectors) -> None:
    check_vectors(vectors, vectors.shape, "they")


@pytest.mark.parametrize(
    ("row", "value", "complaint"),
    [(1, np.nan, "row 1 .* not finite"), (2, np.inf, "row 2 .* not finite"), (0, 0.5, "row 0 .* length")],
)
def test_bad_rows_are_refused_by_number(row: int, value: float, complaint: str) -> None:
    vectors = _unit_rows()
    vectors[row, row] = value
    with pytest.raises(BadVectors, match=f"the model's vectors: {complaint}"):
        check_vectors(vectors, (3, 4), "the model's vectors")


@pytest.mark.parametrize("shape", [(3, 5), (4,), (2, 4), (12,)])
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadVectors, match=re.escape(f"shape (3, 4), expected {shape}")):
        check_vectors(_unit_rows(), shape, "they")


@pytest.mark.parametrize("vectors", [_unit_rows().astype(np.float64), "words", [1.0], None])
def test_another_type_is_refused(vectors: object) -> None:
    with pytest.raises(BadVectors, match=r"(float64|str|list|NoneType), expected float32"):
        check_vectors(vectors, (3, 4), "they")
