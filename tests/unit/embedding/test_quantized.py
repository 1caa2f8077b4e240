"""What is kept on disk of an int8 network."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedding.acceleration.precision_choice import why_not
from embedding.acceleration.quantized import read_network, write_network
from schemas import PrecisionQuality

NETWORK = bytes(range(256)) * 5


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "made" / "here.int8"
    write_network(path, NETWORK)
    write_network(path, NETWORK)
    assert read_network(path) == NETWORK
    assert list(path.parent.iterdir()) == [path]


def test_what_is_not_there_or_no_file_is_nothing(tmp_path: Path) -> None:
    assert read_network(tmp_path / "none.int8") is None
    assert read_network(tmp_path) is None


@given(st.integers(0, len(NETWORK) + 31), st.booleans())
def test_what_is_not_whole_is_nothing(tmp_path_factory: pytest.TempPathFactory, place: int, cut: bool) -> None:
    path = tmp_path_factory.getbasetemp() / "torn.int8"
    write_network(path, NETWORK)
    whole = path.read_bytes()
    path.write_bytes(whole[:place] if cut else whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    assert read_network(path) is None


@pytest.mark.parametrize(
    ("cosine", "overlap", "good"), [(0.99, 0.9, True), (0.9899, 1, False), (1, 0.8999, False), (float("nan"), 1, False)]
)
def test_both_bars_must_be_reached(cosine: float, overlap: float, good: bool) -> None:
    quality = PrecisionQuality(
        cosine_mean=cosine,
        cosine_min=cosine,
        overlap_at_10=overlap,
        pictures=60,
        fingerprint="f",
        measured_with="w",
    )
    assert (why_not(quality) is None) == good
