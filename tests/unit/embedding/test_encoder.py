"""The self-check of vectors, and what importing the package costs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from embedding import check_vectors
from schemas import BadVectors


def _unit_rows() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.eye(3, 4, dtype=np.float32)


def test_good_vectors_pass_unchanged() -> None:
    vectors = _unit_rows()
    assert check_vectors(vectors, 3, 4) is vectors


def test_no_vectors_pass() -> None:
    assert check_vectors(np.zeros((0, 4), np.float32), 0, 4).shape == (0, 4)


@pytest.mark.parametrize(
    ("row", "value", "complaint"),
    [(1, np.nan, "row 1 .* not finite"), (2, np.inf, "row 2 .* not finite"), (0, 0.5, "row 0 .* length")],
)
def test_bad_rows_are_refused_by_number(row: int, value: float, complaint: str) -> None:
    vectors = _unit_rows()
    vectors[row, row] = value
    with pytest.raises(BadVectors, match=complaint):
        check_vectors(vectors, 3, 4)


def test_wrong_shape_and_type_are_refused() -> None:
    with pytest.raises(BadVectors, match="shape"):
        check_vectors(_unit_rows(), 3, 5)
    with pytest.raises(BadVectors, match="float64"):
        check_vectors(_unit_rows().astype(np.float64), 3, 4)


def test_a_spec_of_builtin_is_had_without_torch() -> None:
    code = (
        "import sys, embedding; embedding.load_spec('builtin'); "
        "print([m for m in ('torch', 'transformers', 'sentence_transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
