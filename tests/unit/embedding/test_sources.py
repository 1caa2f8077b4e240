"""Where a model is looked for, and how fast and clearly its absence is said."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from embedding.sources import find_directory
from schemas import ModelNotFound


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)


def test_a_directory_is_itself(tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text("[]")
    assert find_directory(str(tmp_path)) == tmp_path


@pytest.mark.parametrize("model", ["./nowhere", "/nowhere/at/all", "a/b/c", "", " ", "two words"])
def test_what_is_no_directory_and_no_name(model: str) -> None:
    with pytest.raises(ModelNotFound, match="hub"):
        find_directory(model)


def test_a_directory_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="holds no model"):
        find_directory(str(tmp_path))


def test_a_closed_port_is_told_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{port}")
    started = time.monotonic()
    with pytest.raises(ModelNotFound, match=r"sentence-transformers/clip-ViT-B-32 .* cannot be reached .* builtin"):
        find_directory("clip-ViT-B-32")
    assert time.monotonic() - started < 4


def test_a_hub_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedding.sources.PROBE_SECONDS", 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(ModelNotFound, match="cannot be reached"):
            find_directory("clip-ViT-B-32")


def test_offline_mode_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelNotFound, match="HF_HUB_OFFLINE"):
        find_directory("clip-ViT-B-32")


def test_a_cached_snapshot_needs_no_hub(tmp_path: Path) -> None:
    repository = tmp_path / "cache" / "models--sentence-transformers--clip-ViT-B-32"
    snapshot = repository / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "modules.json").write_text("[]")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    assert find_directory("clip-ViT-B-32") == snapshot
