"""A fingerprint changes with what changes vectors, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from embedding.fingerprint import fingerprint_directory, fingerprint_files


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = tmp_path / "model"
    (directory / "0_CLIPModel").mkdir(parents=True)
    (directory / "modules.json").write_text("[]")
    (directory / "0_CLIPModel" / "model.safetensors").write_bytes(b"weights")
    return directory


def _touch_weights(model: Path) -> None:
    (model / "0_CLIPModel" / "model.safetensors").write_bytes(b"weighty")


def _touch_config(model: Path) -> None:
    (model / "modules.json").write_text("[ ]")


def _add_vocabulary(model: Path) -> None:
    (model / "vocab.txt").write_text("a")


def _add_readme(model: Path) -> None:
    (model / "README.md").write_text("hello")


def _add_hidden(model: Path) -> None:
    (model / ".cache").mkdir()
    (model / ".cache" / "x.json").write_text("{}")


def _add_other_backend(model: Path) -> None:
    (model / "onnx").mkdir()
    (model / "onnx" / "config.json").write_text("{}")


def _add_shadowed_weights(model: Path) -> None:
    (model / "0_CLIPModel" / "pytorch_model.bin").write_bytes(b"weights")


@pytest.mark.parametrize("change", [_touch_weights, _touch_config, _add_vocabulary])
def test_content_changes_it(model: Path, change: Callable[[Path], None]) -> None:
    before = fingerprint_directory(model)
    change(model)
    assert fingerprint_directory(model) != before


@pytest.mark.parametrize("change", [_add_readme, _add_hidden, _add_other_backend, _add_shadowed_weights])
def test_what_does_not_change_vectors_leaves_it(model: Path, change: Callable[[Path], None]) -> None:
    before = fingerprint_directory(model)
    change(model)
    assert fingerprint_directory(model) == before


def test_the_place_does_not_matter(model: Path) -> None:
    before = fingerprint_directory(model)
    assert fingerprint_directory(model.rename(model.with_name("elsewhere"))) == before


def test_weights_without_safetensors_count(model: Path) -> None:
    (model / "0_CLIPModel" / "model.safetensors").rename(model / "0_CLIPModel" / "pytorch_model.bin")
    before = fingerprint_directory(model)
    (model / "0_CLIPModel" / "pytorch_model.bin").write_bytes(b"others")
    assert fingerprint_directory(model) != before


def test_the_recipe_counts(model: Path) -> None:
    files = {"modules.json": model / "modules.json"}
    assert fingerprint_files(files, recipe="1") != fingerprint_files(files, recipe="2")
