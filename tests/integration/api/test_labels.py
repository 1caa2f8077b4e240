"""POST /v1/classify and /v1/moderate, as clients see them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from index import IndexSettings, open_store
from tests.support.colors import COLORS, color_png, write_lines, write_tiles
from tests.support.encoders import CountingColors
from tests.support.serving import client, ingest

ENCODER = CountingColors()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("colors")
    rows = write_tiles(folder)
    rows.append({"id": "words", "title": "a blue carpet"})
    rows.append({"id": "two", "title": "tile", "images": ["0.png", "3.png"]})
    ingest(write_lines(folder / "catalog.jsonl", rows), folder / "data", ENCODER)
    with client(folder / "data", encoder=ENCODER) as opened:
        yield opened


def _classify(api: TestClient, **asked: Any) -> dict[str, Any]:
    answer = api.post("/v1/classify", json={"labels": COLORS, **asked})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _base64(color: str, seed: int = 7) -> dict[str, str]:
    return {"base64": base64.b64encode(color_png(color, seed)).decode()}


@pytest.mark.parametrize("color", COLORS)
def test_an_image_in_json_and_in_a_form(api: TestClient, color: str) -> None:
    found = _classify(api, image=_base64(color))
    (result,) = found["results"]
    assert result["label"] == color
    assert result["score"] == result["labels"][0]["similarity"]
    assert len(result["labels"]) == 4
    assert sum(one["probability"] for one in result["labels"]) == pytest.approx(1, abs=1e-4)
    assert found["calibration"] == "background"
    assert found["threshold"] is not None
    assert found["temperature"] > 0
    assert "id" not in result
    form = {"request": json.dumps({"labels": COLORS, "top_k": 1})}
    by_form = api.post("/v1/classify/image", files={"file": ("a.png", color_png(color, 7))}, data=form).json()
    assert by_form["results"][0]["labels"] == result["labels"][:1]


def test_the_whole_catalog_is_labelled_by_whoever_reviews(tmp_path: Path) -> None:
    rows = write_tiles(tmp_path)
    for row in rows:
        row["category"] = "green" if row["id"] == "red-0" else row["id"].partition("-")[0]
    data = tmp_path / "data"
    ingest(write_lines(tmp_path / "catalog.jsonl", rows), data, ENCODER)
    store = open_store(IndexSettings(data_dir=data))
    store.documents.write("label-sets", "hues", {"labels": [{"name": color} for color in COLORS]})
    reviewer, customer = ({"Authorization": f"Bearer {key}"} for key in ("reviewer", "customer"))
    with client(data, encoder=ENCODER, api_keys="customer", review_keys="reviewer") as api:

        def label(headers: dict[str, str] = reviewer, **asked: Any) -> Any:
            return api.post("/v1/classify/catalog", json={"label_set": "hues", **asked}, headers=headers)

        images = ENCODER.images
        done = label().json()
        assert ENCODER.images == images
        assert (done["version"], done["products"], done["changed"]) == (1, 40, 40)
        assert done["labels"] == dict.fromkeys(COLORS, 10)
        assert done["generation"] == store.version()
        compared = done["disagreements"]
        assert (compared["field"], compared["compared"], compared["count"]) == ("category", 40, 1)
        (first,) = compared["products"]
        assert (first["id"], first["given"], first["predicted"], first["looks_like"]) == (
            "red-0",
            "green",
            "red",
            "red",
        )
        found = api.post("/v1/search", json={"filter": {"predicted.hues": "red"}}, headers=customer).json()
        assert found["total"] == {"value": 10, "relation": "eq"}
        again = label(field="category").json()
        assert (again["changed"], again["generation"], again["disagreements"]) == (0, done["generation"], compared)
        assert label(field="hue").json()["errors"][0]["field"] == "field"
        assert label(label_set="nothing").status_code == 404
        assert label(label_set="No Name").status_code == 422
        assert label(customer).json()["code"] == "review-key-needed"
        with store.lock():
            assert label().json()["code"] == "index-locked"


def test_products_are_judged_by_stored_vectors(api: TestClient) -> None:
    _classify(api, text="red")  # every prompt is known from here on
    before = ENCODER.images, len(ENCODER.texts)
    found = _classify(api, product_ids=["green-1", "two", "red-0", "words"])
    assert [(one["id"], one["label"], one["by"]) for one in found["results"]] == [
        ("green-1", "green", "image"),
        ("two", "red", "image"),
        ("red-0", "red", "image"),
        ("words", "blue", "text"),
    ]
    assert any("judged by their titles" in notice for notice in found["notices"])
    assert (ENCODER.images, len(ENCODER.texts)) == before


def test_products_by_a_filter_come_in_pages(api: TestClient) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        found = _classify(api, filter={"brand": ["red", "blue"]}, limit=7, cursor=cursor)
        seen += [one["id"] for one in found["results"]]
        assert all(one["id"].startswith(one["label"]) for one in found["results"])
        if (cursor := found.get("next_cursor")) is None:
            break
    assert len(seen) == len(set(seen)) == 20
    assert len(_classify(api, filter={}, limit=1000)["results"]) == 42
    assert _classify(api, filter={"brand": "nobody"})["results"] == []


def test_a_text(api: TestClient) -> None:
    (result,) = _classify(api, text="something green")["results"]
    assert (result["label"], result["by"]) == ("green", "text")


def test_what_the_request_says_of_threshold_and_temperature_counts(api: TestClient) -> None:
    sure = _classify(api, image=_base64("red"), threshold=1, temperature=0.001)
    assert (sure["threshold"], sure["temperature"], sure["calibration"]) == (1, 0.001, "given")
    assert sure["results"][0]["label"] == "unknown"
    assert sure["results"][0]["labels"][0]["label"] == "red"
    assert sure["results"][0]["labels"][0]["probability"] > 0.99
    unsure = _classify(api, image=_base64("red"), threshold=None, temperature=100)
    assert unsure["threshold"] is None
    assert unsure["results"][0]["label"] == "red"
    assert unsure["results"][0]["labels"][0]["probability"] < 0.3


def test_labels_with_texts_and_within_labels(api: TestClient) -> None:
    labels: list[dict[str, Any]] = [
        {"name": "warm", "texts": ["red", "yellow"], "labels": [{"name": "r", "texts": ["red"]}, "yellow"]},
        {"name": "cold", "texts": ["blue"], "labels": [{"name": "b", "texts": ["blue"]}]},
    ]
    refused = api.post("/v1/classify", json={"labels": labels, "text": "red"})
    assert refused.status_code == 422
    labels[0]["labels"] = [{"name": "r", "texts": ["red"]}, {"name": "yellow"}]
    (result,) = _classify(api, labels=labels, image=_base64("red"))["results"]
    assert (result["label"], result["path"]) == ("r", ["warm", "r"])


def test_several_labels_may_be_right(api: TestClient) -> None:
    found = _classify(api, multi=True, image=_base64("red"), threshold=-1)
    assert sorted(found["results"][0]["all"]) == sorted(COLORS)


def test_a_named_set_is_the_version_that_was_written(api: TestClient) -> None:
    address = "/v1/documents/label-sets/colors"
    label_set: dict[str, Any] = {"labels": [{"name": color} for color in COLORS], "temperature": 0.5, "threshold": 1.0}
    assert api.put(address, json=label_set).status_code == 201
    asked = {"label_set": "colors", "image": _base64("red")}
    found = api.post("/v1/classify", json=asked).json()
    assert (found["version"], found["temperature"], found["threshold"]) == (1, 0.5, 1.0)
    assert found["results"][0]["label"] == "unknown"
    assert api.put(address, json=label_set | {"threshold": -1.0}).status_code == 200
    found = api.post("/v1/classify", json=asked).json()
    assert (found["version"], found["results"][0]["label"]) == (2, "red")
    # Of texts, what was measured on images says nothing.
    assert api.post("/v1/classify", json={"label_set": "colors", "text": "red"}).json()["threshold"] != -1.0


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"labels": ["a"]}, 422, "request-empty"),
        ({"labels": ["a"], "text": "b", "product_ids": ["red-0"]}, 422, "request-invalid"),
        ({"text": "b"}, 422, "request-invalid"),
        ({"text": "b", "labels": []}, 422, "request-invalid"),
        ({"text": "b", "labels": ["a"], "label_set": "colors"}, 422, "request-invalid"),
        ({"text": "b", "labels": ["a", "A"]}, 422, "request-invalid"),
        ({"text": "b", "labels": ["unknown"]}, 422, "request-invalid"),
        ({"text": "b", "labels": [" "]}, 422, "request-invalid"),
        ({"text": " ", "labels": ["a"]}, 422, "request-invalid"),
        ({"text": "b", "labels": ["a"], "templates": ["x"]}, 422, "request-invalid"),
        ({"text": "b", "labels": ["a"], "temperature": 0}, 422, "request-invalid"),
        ({"text": "b", "labels": ["a"], "colour": 1}, 422, "request-invalid"),
        ({"text": "b", "label_set": "nowhere"}, 404, "document-not-found"),
        ({"text": "b", "label_set": "../x"}, 422, "request-invalid"),
        ({"labels": ["a"], "product_ids": ["nobody"]}, 404, "product-not-found"),
        ({"labels": ["a"], "filter": {"colour": 1}}, 422, "unknown-field"),
        ({"labels": ["a"], "filter": {}, "cursor": "x"}, 422, "cursor-invalid"),
        ({"labels": ["a"], "image": {"base64": "!"}}, 415, "not-a-picture"),
        ({"labels": ["a"], "image": {"base64": "aGVsbG8="}}, 415, "not-a-picture"),
        ({"labels": ["a"], "image": {"url": "http://x/y.png"}}, 422, "request-invalid"),
    ],
)
def test_what_cannot_be_answered_is_told(api: TestClient, asked: dict[str, Any], status: int, code: str) -> None:
    answer = api.post("/v1/classify", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


POLICY = {
    "rules": [
        {"name": "no red", "prompts": ["red"], "counter_prompts": ["green", "blue", "yellow"], "action": "block"},
        {"name": "bluish", "prompts": ["blue"], "threshold": 0.5, "action": "review"},
    ]
}


@pytest.fixture(scope="module")
def house(api: TestClient) -> None:
    assert api.put("/v1/documents/policies/house", json=POLICY).status_code == 201


@pytest.mark.usefixtures("house")
class TestModeration:
    def _moderate(self, api: TestClient, **asked: Any) -> dict[str, Any]:
        answer = api.post("/v1/moderate", json={"policy": "house", **asked})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    @pytest.mark.parametrize(("color", "action"), [("red", "block"), ("blue", "review"), ("green", "allow")])
    def test_an_image(self, api: TestClient, color: str, action: str) -> None:
        found = self._moderate(api, image=_base64(color))
        (decision,) = found["decisions"]
        assert (decision["action"], found["policy"], found["version"]) == (action, "house", 1)
        red, blue = decision["rules"]
        assert (red["rule"], red["threshold"], red["calibrated"]) == ("no red", 0.0, False)
        assert (blue["threshold"], blue["calibrated"]) == (0.5, True)
        assert red["fired"] == (red["score"] >= red["threshold"]) == (color == "red")
        assert any("uncalibrated" in notice for notice in found["notices"])

    def test_every_image_of_a_product_counts_and_no_image_is_encoded(self, api: TestClient) -> None:
        self._moderate(api, text="red")
        before = ENCODER.images, len(ENCODER.texts)
        found = self._moderate(api, product_ids=["green-1", "two", "words"])
        assert [decision["action"] for decision in found["decisions"]] == ["allow", "block", "review"]
        assert found["decisions"][2]["by"] == "text"
        assert (ENCODER.images, len(ENCODER.texts)) == before

    def test_exemplar_images_of_both_kinds(self, api: TestClient) -> None:
        rule = {
            "name": "like these",
            "images": [{"product_id": "green-1"}, _base64("green", 3)],
            "counter_images": [{"product_id": "red-0"}, {"product_id": "gone"}],
            "action": "block",
        }
        assert api.put("/v1/documents/policies/shown", json={"rules": [rule]}).status_code == 201
        asked = {"policy": "shown", "product_ids": ["green-5", "red-4"]}
        found = api.post("/v1/moderate", json=asked).json()
        assert [decision["action"] for decision in found["decisions"]] == ["block", "allow"]
        assert "1 exemplar images of the policy are not there any more" in found["notices"]

    def test_rules_of_the_request_decide_as_a_policy_would(self, api: TestClient) -> None:
        asked = {"filter": {}, "limit": 1000}
        stored = self._moderate(api, **asked)
        given = api.post("/v1/moderate", json={**POLICY, **asked}).json()
        assert given["decisions"] == stored["decisions"]
        assert given.keys() & {"policy", "version"} == set()
        wrong: list[dict[str, Any]] = [
            {"policy": "house", **POLICY},
            {},
            {"rules": []},
            {"rules": POLICY["rules"] * 2},
        ]
        for both in wrong:
            assert api.post("/v1/moderate", json={**both, "text": "red"}).status_code == 422

    def test_a_policy_that_is_not_there(self, api: TestClient) -> None:
        answer = api.post("/v1/moderate", json={"policy": "none", "text": "red"})
        assert (answer.status_code, answer.json()["code"]) == (404, "document-not-found")

    @pytest.mark.parametrize(
        "rule",
        [
            {"name": "a", "action": "block"},
            {"name": "a", "prompts": [], "action": "block"},
            {"name": "a", "prompts": ["x"], "action": "ban"},
            {"name": "a", "prompts": ["x"], "counter_images": [{"product_id": "1"}], "action": "block"},
            {"name": "a", "images": [{"product_id": "1", "base64": "x"}], "action": "block"},
        ],
    )
    def test_rules_that_look_for_nothing_are_refused(self, api: TestClient, rule: dict[str, Any]) -> None:
        answer = api.put("/v1/documents/policies/wrong", json={"rules": [rule]})
        assert (answer.status_code, answer.json()["code"]) == (422, "document-invalid")


def test_an_index_without_much_in_it_is_uncalibrated(tmp_path: Path) -> None:
    catalog = tmp_path / "catalog.jsonl"
    catalog.write_text('{"id": "1", "title": "red thing"}\n', encoding="utf-8")
    ingest(catalog, tmp_path / "data", ENCODER)
    with client(tmp_path / "data", encoder=ENCODER) as api:
        found = _classify(api, image=_base64("red"))
        assert (found["calibration"], found["threshold"]) == ("uncalibrated", None)
        assert found["results"][0]["label"] == "red"
        assert found["notices"][0].startswith("uncalibrated")
