"""Faults that were planted in a real index, found by the command."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.__main__ import main
from evaluation.audit.audit import take_sample
from evaluation.audit.modality_gap import without_gap
from evaluation.benchmarks.query_load import fill_index
from images.arrays import Vectors
from index import DenseName, IndexSettings, Point, open_store
from tests.support.encoders import HashEncoder
from tests.support.points import DIMENSION, index_record, make_point, spec, unit

Audit = Callable[..., dict[str, Any]]
COUNTS = ("points", "foreign", "not_unit", "not_finite", "constant_dimensions", "duplicates", "hubs")


def write(folder: Path, points: Sequence[Point], **embedding: Any) -> str:
    """Commit points as a generation, and return its name."""
    store = open_store(IndexSettings(data_dir=folder, qdrant_url=None))
    with store.lock():
        build = store.begin(index_record(embedding=spec(**embedding)))
        build.upsert(points)
        return build.commit()


def shop(count: int = 60) -> list[Point]:
    """Products around one direction, as those of a shop are, and each words near its image."""
    middle = unit(DIMENSION, seed=999)
    points = []
    for number in range(count):
        image = _unit(middle + 0.8 * unit(DIMENSION, seed=number))
        words = _unit(image - 0.7 * middle + 0.6 * unit(DIMENSION, seed=number + 5000))
        point = make_point(number)
        points.append(replace(point, vectors={"image": image[None], "title": words, "text": words}))
    return points


def _unit(vectors: Vectors) -> Vectors:
    units: Vectors = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)
    return units


def change(points: list[Point], number: int, product: dict[str, Any] | None = None, **vectors: Vectors) -> None:
    point = points[number]
    payload = {**point.payload, "product": {**point.payload["product"], **(product or {})}}
    points[number] = replace(point, payload=payload, vectors={**point.vectors, **vectors})  # type: ignore[dict-item]


def on_disk(folder: Path, vector: Vectors, instead: Vectors) -> None:
    """Put other numbers where a stored vector lies: engines themselves mend or refuse such."""
    files = [path for path in (folder / "products" / "generations").rglob("*") if path.is_file()]
    holding = [path for path in files if vector.tobytes() in path.read_bytes()]
    assert holding
    for path in holding:
        path.write_bytes(path.read_bytes().replace(vector.tobytes(), instead.astype(np.float32).tobytes()))


@pytest.fixture
def audit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Audit:
    def audit(*options: str) -> dict[str, Any]:
        assert main(["audit", "--data-dir", str(tmp_path), "--json", *options]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return audit


def test_an_index_in_order_has_nothing_but_its_gap(tmp_path: Path, audit: Audit) -> None:
    points = shop()
    write(tmp_path, points)
    found = audit()
    assert [found[name] for name in COUNTS] == [60, 0, 0, 0, 0, 0, 0]
    images, words = (np.stack([np.atleast_2d(p.vectors[name])[0] for p in points]) for name in ("image", "title"))
    assert found["modality_gap"] == pytest.approx(np.linalg.norm(images.mean(0) - words.mean(0)), abs=1e-3)
    quality = found["details"]["modality_gap"]["text->image"]
    assert quality["after"]["mrr"] > quality["before"]["mrr"]


def test_vectors_that_are_not_unit_or_not_finite_are_counted_once_a_product(tmp_path: Path, audit: Audit) -> None:
    points = shop()
    write(tmp_path, points)
    for number, name, factor in ((3, "title", 1.01), (3, "image", 2.0), (7, "image", 0.0), (9, "text", np.nan)):
        vector = np.atleast_2d(points[number].vectors[name])[0]  # type: ignore[index]
        on_disk(tmp_path, vector, vector * np.float32(factor))
    found = audit()
    assert (found["not_unit"], found["not_finite"], found["points"]) == (2, 1, 60)
    assert set(found["details"]["not_unit"]) == {"p3", "p7"}
    assert found["details"]["not_finite"] == ["p9"]


def test_constant_and_collapsed_dimensions_are_told_by_kind_of_vector(tmp_path: Path, audit: Audit) -> None:
    points = shop()
    for number, point in enumerate(points):
        image = point.vectors["image"].copy()
        image[:, [3, 8]] = 0.0
        change(points, number, image=_unit(image))
    write(tmp_path, points)
    found = audit()
    assert found["constant_dimensions"] == 2
    vectors = found["details"]["vectors"]
    assert vectors["image"]["constant_dimensions"] == vectors["image"]["zero_dimensions"] == [3, 8]
    assert vectors["title"]["constant_dimensions"] == []
    assert vectors["image"]["effective_dimensions"] < DIMENSION - 2

    alike = shop()
    for number in range(60):
        change(alike, number, title=_unit(unit(DIMENSION, seed=1) + 0.01 * unit(DIMENSION, seed=number)))
    write(tmp_path, alike)
    assert audit()["details"]["vectors"]["title"]["mean_cosine"] > 0.99


def test_duplicates_are_products_that_repeat_an_image_or_without_one_everything(tmp_path: Path, audit: Audit) -> None:
    points = shop()
    for number, of in ((11, 10), (12, 10)):  # three of one image, embedded in other batches
        noise = np.float32(1e-7) * unit(1, DIMENSION, seed=number)
        change(points, number, image=points[of].vectors["image"] + noise)
    for number in (20, 21):
        change(points, number, {"group_id": "variants"}, image=points[20].vectors["image"])
    two = np.concatenate([points[30].vectors["image"], points[31].vectors["image"]])
    change(points, 32, image=two[::-1])
    change(points, 40, title=points[41].vectors["title"])  # titles may well be the same
    for number in (50, 51, 52):
        words = points[50].vectors["title"]
        vectors: dict[DenseName, Vectors] = {"title": words} if number == 52 else {"title": words, "text": words}
        points[number] = replace(points[number], vectors=vectors)
    write(tmp_path, points)
    found = audit()
    groups = {frozenset(ids) for ids in found["details"]["duplicates"]}
    assert groups == {frozenset(ids) for ids in (("p10", "p11", "p12"), ("p30", "p32"), ("p31", "p32"), ("p50", "p51"))}
    assert found["duplicates"] == 4


def test_a_hub_is_in_too_many_answers(tmp_path: Path, audit: Audit, capsys: pytest.CaptureFixture[str]) -> None:
    points = shop()
    change(points, 33, image=_unit(sum(p.vectors["image"] for p in points)))  # type: ignore[arg-type]
    write(tmp_path, points)
    found = audit()
    assert found["hubs"] == 1
    (hub,) = {(hub["id"], hub["direction"]) for hub in found["details"]["hubs"]}
    assert hub == ("p33", "image->image")
    assert main(["audit", "--data-dir", str(tmp_path)]) == 0
    assert "p33  in " in capsys.readouterr().out


def test_drift_is_what_has_moved_since_another_generation(
    tmp_path: Path, audit: Audit, capsys: pytest.CaptureFixture[str]
) -> None:
    points = shop()
    old = write(tmp_path, points[:50])
    change(points, 4, title=unit(DIMENSION, seed=77))
    change(points, 5, image=np.concatenate([points[5].vectors["image"], unit(1, DIMENSION, seed=78)]))
    write(tmp_path, points)
    drift = audit("--against", old)["drift"]
    assert drift["products"] == {"both": 50, "added": 10, "removed": 0}
    assert (drift["generation"], drift["model"]) == (old, [])
    assert {name: its["changed"] for name, its in drift["vectors"].items()} == {"image": 1, "title": 1, "text": 0}
    assert {(one["id"], one["vector"]) for one in drift["moved_most"]} == {("p4", "title"), ("p5", "image")}
    assert 0.7 < drift["neighbours"]["overlap@10"] <= 1
    assert main(["audit", "--data-dir", str(tmp_path), "--against", old]) == 0
    assert "10 products added" in capsys.readouterr().out
    assert main(["audit", "--data-dir", str(tmp_path), "--against", "none"]) == 1
    assert f"those kept are {old}" in capsys.readouterr().err


def test_generations_of_two_models_are_compared_by_their_neighbours(tmp_path: Path, audit: Audit) -> None:
    points = shop()
    old = write(tmp_path, points)
    turned, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(DIMENSION, DIMENSION)))
    for number, point in enumerate(points):
        change(points, number, image=_unit(point.vectors["image"] @ turned))
    write(tmp_path, points, fingerprint="2" * 64)
    drift = audit("--against", old)["drift"]
    assert (drift["model"], drift["vectors"], drift["moved_most"]) == (["fingerprint"], {}, [])
    assert drift["neighbours"] == {"products": 60, "overlap@10": 1.0}


def test_an_index_of_one_product_without_an_image_is_audited(tmp_path: Path, audit: Audit) -> None:
    write(tmp_path, [make_point(1, vectors=["title"])])
    found = audit()
    assert (found["points"], found["modality_gap"], found["hubs"], found["constant_dimensions"]) == (1, None, 0, 0)


def test_points_that_storelens_did_not_write_are_counted_apart(tmp_path: Path, audit: Audit) -> None:
    fill_index(tmp_path, HashEncoder.spec, 20)
    store = open_store(IndexSettings(data_dir=tmp_path, qdrant_url=None))
    with store.lock(), closing(store.open()) as index:
        (strange,), record = index.scan(None, 1), index.record
        build = store.begin(record)
        build.set_payload({strange: {"colour": "red"}})
        build.commit()
    found = audit()
    assert (found["points"], found["foreign"]) == (19, 1)


def test_what_removing_the_gap_does_is_what_a_plain_loop_finds(tmp_path: Path) -> None:
    points = shop()
    write(tmp_path, points)
    with closing(open_store(IndexSettings(data_dir=tmp_path, qdrant_url=None)).open()) as index:
        sample = take_sample(index, 60)
    ranks = [
        1 + sum(words @ other > words @ image for other in sample.images)
        for words, image in zip(sample.words, sample.images, strict=True)
    ]
    before = without_gap(sample)["text->image"]["before"]
    assert before["mrr"] == pytest.approx(np.mean([1 / rank for rank in ranks]))
    assert before["recall@10"] == np.mean([rank <= 10 for rank in ranks])
