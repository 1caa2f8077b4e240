"""Benchmarks of the job, small: what they count, not how long it takes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from evaluation.__main__ import main
from evaluation.benchmarks.incremental import measure
from evaluation.benchmarks.jobs import run_job
from evaluation.benchmarks.random_clip import make_clip
from evaluation.benchmarks.speed import ingest_lines, ingest_speed
from evaluation.benchmarks.synthetic import write_catalog
from schemas import ConfigurationError
from tests.support.fork_server import children_of


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_clip(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture
def forked(python: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Jobs, and what exports a network, are forked from a process with their imports: how long they take is not what
    is tested."""
    monkeypatch.setattr(sys, "executable", str(python))
    with children_of(python):
        yield


@pytest.mark.usefixtures("forked")
def test_a_night_embeds_what_is_new_of_it_and_an_unchanged_catalog_nothing(tiny: str, tmp_path: Path) -> None:
    night = measure(tiny, 60, tmp_path / "night", edge=16)
    assert (night.first.indexed, night.first.embedded_images) == (60, 60)
    assert (night.unchanged.unchanged, night.unchanged.embedded_images, night.unchanged.embedded_texts) == (60, 0, 0)
    # A price, a new product, one that is gone, and a photo: the smallest night there is.
    assert (night.nightly.updated, night.nightly.deleted, night.nightly.embedded_images) == (1, 1, 2)
    assert (night.nightly.indexed, night.nightly.unchanged) == (2, 57)


def test_memory_rate_and_size_are_measured_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scale", "--rows", "70", "--json", "--plot", str(tmp_path / "memory.png")]) == 0
    [scale] = json.loads(capsys.readouterr().out)
    assert scale["rows"] == 70
    assert scale["peak_resident"] > scale["peak_own"] > 50e6
    assert scale["size"] == sum(scale["parts"].values()) > 100_000
    assert scale["memory"][0]["seconds"] < scale["memory"][-1]["seconds"] <= scale["seconds"]
    with Image.open(tmp_path / "memory.png") as image:
        assert image.width > image.height


def test_a_job_that_fails_says_why(tiny: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"the ingest failed: .*none\.jsonl"):
        run_job(tmp_path / "none.jsonl", tiny, tmp_path / "data")


@pytest.mark.usefixtures("forked")
def test_the_job_is_measured_in_each_precision_beside_its_parts_and_a_baseline(tiny: str, tmp_path: Path) -> None:
    speed = ingest_speed(tiny, write_catalog(tmp_path / "catalog", 70, edge=40), tmp_path, runs=1)
    assert speed.quality
    assert (speed.images, speed.quality.pictures) == (70, 70)
    # Whether int8 loses too much of these weights depends on the processor.
    measured = ["float32", "bfloat16", *(["int8"] if speed.refused is None else [])]
    assert list(speed.precisions) == measured
    rates = [*speed.decode, *speed.plain, *(rate for turns in speed.precisions.values() for rate in turns.job)]
    assert len(rates) == 2 + len(measured)
    assert all(rate > 0 for rate in rates)
    assert speed.with_words
    assert len(ingest_lines(speed)) == 10
    assert any("not in int8" in line for line in ingest_lines(speed)) == (speed.refused is not None)


@pytest.mark.parametrize(
    "arguments",
    [
        ["scale", "--rows", "0"],
        ["scale", "--plot", "memory.txt"],
        ["scale", "--plot", "nowhere/memory.png"],
        ["incremental", "--rows", "many"],
        ["speed", "--runs", "0"],
    ],
)
def test_wrong_arguments_are_told_before_anything_is_measured(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
