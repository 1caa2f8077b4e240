"""``python -m evaluation calibrate --label-set`` and ``--policy``, and what goes by it afterwards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evaluation import __main__ as command
from evaluation.commands import calibrate
from index import IndexSettings, open_store
from ingest.commands import label, moderate
from tests.support.colors import COLORS, color_image, write_lines, write_tiles
from tests.support.commands import printed
from tests.support.encoders import ColorEncoder
from tests.support.serving import client, ingest

LABELS = {"labels": [{"name": color} for color in COLORS[:3]]}
POLICY = {"rules": [{"name": "no red", "prompts": ["red"], "counter_prompts": ["green", "blue"], "action": "block"}]}


class Shop:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.encoder: ColorEncoder = ColorEncoder()
        self.rows = [row | {"category": row["brand"]} for row in write_tiles(folder)]
        ingest(write_lines(folder / "catalog.jsonl", self.rows), self.data, self.encoder)
        self.store = open_store(IndexSettings(data_dir=self.data))
        self.store.documents.write("label-sets", "hue", LABELS)
        self.store.documents.write("policies", "house", POLICY)

    def images(self, of: str = "label", per_color: int = 12) -> Path:
        rows: list[dict[str, Any]] = []
        for color in COLORS:
            for _ in range(per_color):
                name = f"labelled-{len(rows)}.png"
                color_image(color, 500 + len(rows), 40).save(self.folder / name)
                rows.append({"image": name, "label": color, "violates": color == "red"})
        return write_lines(self.folder / f"{of}.jsonl", rows)

    def calibrate(self, *arguments: str) -> int:
        return command.main(["calibrate", *arguments, "--data-dir", str(self.data), "--json"])

    def classify(self, **asked: Any) -> dict[str, Any]:
        with client(self.data, encoder=self.encoder) as api:
            answer = api.post("/v1/classify", json={"label_set": "hue", "product_ids": ["red-0", "yellow-3"], **asked})
            found: dict[str, Any] = answer.json()
            return found


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop(tmp_path)
    monkeypatch.setattr(calibrate, "load_encoder", lambda _: shop.encoder)
    return shop


def test_a_label_set_is_calibrated_on_one_half_and_judged_on_the_other(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    page = shop.folder / "hue.html"
    assert shop.calibrate("--label-set", "hue", "--images", str(shop.images()), "--report", str(page)) == 0
    found = printed(capsys)
    assert json.loads(page.with_suffix(".json").read_text()) == found
    assert f"<b>{found['test']['accuracy']:.3f}</b>" in page.read_text() and "reliability" in page.read_text()
    assert found["document"] == {"kind": "calibrations", "name": "label-set-hue", "version": 1}
    assert (found["model"], found["products"], found["images"], found["version"]) == ("colors", 40, 48, 1)
    test = found["test"]
    assert test["images"] + test["validation_images"] == 48
    assert test["accuracy"] > 0.9
    assert sum(bin["count"] for bin in test["reliability"]) == 18
    assert test["unknown"]["examples"] == 6  # yellow is none of the labels
    assert test["unknown"]["f1"] > 0.8
    answer = shop.classify()
    assert answer["calibration"] == "measured"
    assert (answer["threshold"], answer["temperature"]) == (found["threshold"], found["temperature"])
    assert [one["label"] for one in answer["results"]] == ["red", "unknown"]
    assert label.main(["--label-set", "hue", "--data-dir", str(shop.data)], lambda _: shop.encoder) == 0
    assert printed(capsys)["calibration"] == "measured"


def test_the_catalog_itself_may_say_what_is_right(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert shop.calibrate("--label-set", "hue", "--field", "category", "--dry-run") == 0
    found = printed(capsys)
    assert (found["source"], found["images"], found["document"]) == ("field category", 40, None)
    assert shop.store.documents.names("calibrations") == []


def test_it_refuses_to_report_on_what_it_was_fitted_on(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    file = shop.images(per_color=3)
    assert shop.calibrate("--label-set", "hue", "--images", str(file)) == 1
    assert "nothing is reported on what it was fitted on" in capsys.readouterr().err
    assert shop.store.documents.names("calibrations") == []


def test_what_does_not_hold_any_more_is_not_used_and_said(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert shop.calibrate("--label-set", "hue", "--images", str(shop.images())) == 0
    document = shop.store.documents.read("calibrations", "label-set-hue").content
    shop.store.documents.write("calibrations", "label-set-hue", document | {"deciles": [5.0 + n for n in range(9)]})
    answer = shop.classify()
    assert answer["calibration"] == "measured"
    assert any("drifted" in notice for notice in answer["notices"])
    shop.store.documents.write("calibrations", "label-set-hue", document | {"fingerprint": "1" * 64, "model": "other"})
    answer = shop.classify()
    assert answer["calibration"] == "background"
    assert any("is of model other" in notice for notice in answer["notices"])
    shop.store.documents.write("calibrations", "label-set-hue", document)
    shop.store.documents.write("label-sets", "hue", LABELS)
    assert any("is of version 1" in notice for notice in shop.classify()["notices"])


def test_a_policy_is_calibrated_and_judged_by_it(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    page = shop.folder / "house.html"
    assert shop.calibrate("--policy", "house", "--images", str(shop.images()), "--report", str(page)) == 0
    found = printed(capsys)
    assert json.loads(page.with_suffix(".json").read_text()) == found
    assert "no red" in page.read_text()
    assert found["document"]["name"] == "policy-house"
    assert found["test"]["policy"]["f1"] > 0.9
    threshold = found["thresholds"]["no red"]
    assert moderate.main(["--policy", "house", "--data-dir", str(shop.data)], lambda _: shop.encoder) == 0
    assert printed(capsys)["block"] == 10
    with client(shop.data, encoder=shop.encoder) as api:
        answer = api.post("/v1/moderate", json={"policy": "house", "product_ids": ["red-0"]}).json()
    (rule,) = answer["decisions"][0]["rules"]
    assert (rule["threshold"], rule["calibrated"], rule["fired"]) == (threshold, True, True)
    assert answer["notices"] == []
    with closing(shop.store.open()) as index:
        assert index.record.embedding.model == "colors"
    # Thresholds that the policy itself says are people's, and count before: that is told.
    assert found["overridden"] == []
    policy: dict[str, Any] = shop.store.documents.read("policies", "house").content
    policy["rules"][0]["threshold"] = 0.5
    shop.store.documents.write("policies", "house", policy)
    assert shop.calibrate("--policy", "house", "--images", str(shop.images())) == 0
    assert printed(capsys)["overridden"] == ["no red"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--label-set", "hue", "--policy", "house"],
        ["--policy", "house"],
        ["--label-set", "hue", "--images", "x", "--field", "category"],
        ["--images", "x"],
    ],
)
def test_what_makes_no_sense_is_refused(shop: Shop, arguments: Sequence[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        shop.calibrate(*arguments)
