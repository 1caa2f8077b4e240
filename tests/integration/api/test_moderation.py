"""/v1/moderation: the queue of those who review, their decisions, and what others do not see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from index import IndexSettings, open_store
from ingest.commands import moderate
from tests.support.colors import write_lines, write_tiles
from tests.support.encoders import ColorEncoder
from tests.support.serving import client, ingest

POLICY: dict[str, Any] = {
    "rules": [
        {"name": "no red", "prompts": ["red"], "counter_prompts": ["green", "blue", "yellow"], "action": "block"},
        {"name": "bluish", "prompts": ["blue"], "counter_prompts": ["green", "red", "yellow"], "action": "review"},
    ]
}
REVIEWER = {"Authorization": "Bearer reviewer"}
CUSTOMER = {"Authorization": "Bearer customer"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    ingest(write_lines(tmp_path / "catalog.jsonl", write_tiles(tmp_path)), data, ColorEncoder())
    open_store(IndexSettings(data_dir=data)).documents.write("policies", "house", POLICY)
    _judge(data)
    return data


@pytest.fixture
def api(data: Path) -> Iterator[TestClient]:
    with client(data, encoder=ColorEncoder(), api_keys="customer", review_keys="reviewer") as opened:
        yield opened


def _judge(data: Path) -> None:
    assert moderate.main(["--policy", "house", "--data-dir", str(data)], lambda _: ColorEncoder()) == 0


def _queue(api: TestClient, query: str = "") -> dict[str, Any]:
    answer = api.get(f"/v1/moderation/queue{query}", headers=REVIEWER)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _appeal(api: TestClient, headers: dict[str, str] | None = None, **asked: Any) -> Any:
    return api.post("/v1/moderation/appeals", json=asked, headers=headers or REVIEWER)


def test_what_waits_comes_in_pages_the_surest_first(api: TestClient) -> None:
    found, cursor = [], ""
    while True:
        page = _queue(api, f"?limit=3{cursor}")
        assert page["total"] == 10
        found += page["products"]
        if "next_cursor" not in page:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len({one["id"] for one in found}) == len(found) == 10
    scores = [one["rules"][0]["score"] for one in found]
    assert scores == sorted(scores, reverse=True)
    first = found[0]
    assert first["product"]["brand"] == "blue"
    assert (first["action"], first["judged"], first["policy"], first["version"]) == ("review", "review", "house", 1)
    assert first["rules"][0]["fired"]
    for address in first["images"]:
        assert api.get(address, headers=REVIEWER).status_code == 200
        assert api.get(address, headers=CUSTOMER).status_code == 403
    assert _queue(api, "?action=block&limit=1")["total"] == 10
    assert _queue(api, "?policy=other") == {"products": [], "total": 0}
    assert api.get("/v1/moderation/queue?cursor=x", headers=REVIEWER).status_code == 422


def test_a_decision_counts_at_once_outlives_judging_again_and_is_logged(api: TestClient, data: Path) -> None:
    first, second, *_ = _queue(api)["products"]
    decided = _appeal(
        api,
        by="anna",
        appeals=[{"id": first["id"], "action": "allow", "note": "a sky"}, {"id": second["id"], "action": "block"}],
    )
    assert decided.status_code == 200, decided.text
    assert [(one["id"], one["before"], one["action"]) for one in decided.json()["appeals"]] == [
        (first["id"], "review", "allow"),
        (second["id"], "review", "block"),
    ]
    assert api.get(f"/v1/products/{first['id']}", headers=CUSTOMER).status_code == 200
    assert _queue(api)["total"] == 8
    blocked = {one["id"]: one for one in _queue(api, "?action=block")["products"]}
    assert (blocked[second["id"]]["judged"], blocked[second["id"]]["appeal"]["by"]) == ("review", "anna")
    open_store(IndexSettings(data_dir=data)).documents.write("policies", "house", POLICY)
    _judge(data)
    assert [one["id"] for one in _queue(api, "?action=allow")["products"]] == [first["id"]]
    moderated = api.post(
        "/v1/moderate", json={"policy": "house", "product_ids": [first["id"]]}, headers=REVIEWER
    ).json()["decisions"][0]
    assert (moderated["action"], moderated["appeal"]["by"], moderated["rules"][1]["fired"]) == ("allow", "anna", True)
    taken_back = _appeal(api, by="bert", appeals=[{"id": first["id"], "action": None}]).json()["appeals"][0]
    assert (taken_back["before"], "action" in taken_back) == ("allow", False)
    assert first["id"] in {one["id"] for one in _queue(api)["products"]}
    lines = (data / "products" / "appeals.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == [first["id"], second["id"], first["id"]]


def test_the_whole_catalog_is_judged_by_whoever_reviews(api: TestClient, data: Path) -> None:
    def judge(policy: str = "house", headers: dict[str, str] = REVIEWER) -> Any:
        return api.post("/v1/moderation/judge", json={"policy": policy}, headers=headers)

    before = open_store(IndexSettings(data_dir=data)).version()
    same = judge().json()
    assert (same["block"], same["review"], same["changed"], same["generation"]) == (10, 10, 0, before)
    open_store(IndexSettings(data_dir=data)).documents.write("policies", "house", {"rules": POLICY["rules"][1:]})
    judged = judge().json()
    assert (judged["version"], judged["block"], judged["review"], judged["allow"]) == (2, 0, 10, 30)
    assert judged["changed"] == 20  # a version of each that is to be reviewed, too
    assert api.get("/v1/products/red-0", headers=CUSTOMER).status_code == 200
    assert judge("nothing").status_code == 404
    assert judge("No Name").status_code == 422
    assert judge(headers=CUSTOMER).json()["code"] == "review-key-needed"
    with open_store(IndexSettings(data_dir=data)).lock():
        assert judge().json()["code"] == "index-locked"


def test_all_is_decided_or_nothing(api: TestClient, data: Path) -> None:
    before = open_store(IndexSettings(data_dir=data)).version()
    appeals = [{"id": "red-0", "action": "allow"}, {"id": "nobody", "action": "allow"}]
    answer = _appeal(api, by="anna", appeals=appeals)
    assert (answer.status_code, answer.json()["code"]) == (404, "product-not-found")
    assert answer.json()["errors"][0]["field"] == "appeals.1.id"
    assert _appeal(api, by=" ", appeals=appeals).status_code == 422
    assert _appeal(api, by="anna", appeals=[appeals[0], appeals[0]]).status_code == 422
    assert _appeal(api, by="anna", appeals=[{"id": "red-0", "action": "burn"}]).status_code == 422
    assert _appeal(api, CUSTOMER, by="anna", appeals=appeals[:1]).json()["code"] == "review-key-needed"
    assert api.get("/v1/moderation/queue", headers=CUSTOMER).status_code == 403
    assert open_store(IndexSettings(data_dir=data)).version() == before
    assert not (data / "products" / "appeals.jsonl").exists()


def test_a_job_that_writes_is_not_disturbed(api: TestClient, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.routes.moderation.PATIENCE_SECONDS", 0.0)
    with open_store(IndexSettings(data_dir=data)).lock():
        answer = _appeal(api, by="anna", appeals=[{"id": "red-0", "action": "allow"}])
    assert (answer.status_code, answer.json()["code"]) == (503, "index-locked")
    assert "Retry-After" in answer.headers


@pytest.mark.parametrize(("product", "reviewer_sees"), [("red-0", False), ("blue-2", True)])
def test_what_is_not_to_be_shown_is_not_there(api: TestClient, product: str, reviewer_sees: bool) -> None:
    addresses = [f"/v1/products/{product}{rest}" for rest in ("", "/similar", "/images/0")]
    like = {"product_id": product}
    for headers, sees in ((CUSTOMER, False), (REVIEWER, reviewer_sees)):
        expected = 200 if sees else 404
        assert [api.get(address, headers=headers).status_code for address in addresses] == [expected] * 3
        assert api.post("/v1/search", json=like, headers=headers).status_code == expected
    assert api.get(f"/v1/products/{product}?review=true", headers=REVIEWER).status_code == 200
    assert api.get(f"/v1/products/{product}?review=true", headers=CUSTOMER).status_code == 403
    labels = {"labels": ["red", "blue"]}
    asked = labels | {"product_ids": [product]}
    assert api.post("/v1/classify", json=asked, headers=CUSTOMER).status_code == 404
    assert api.post("/v1/classify", json=asked, headers=REVIEWER).status_code == 200
    all_of_them = labels | {"filter": {}, "limit": 100}
    shown = [api.post("/v1/classify", json=all_of_them, headers=headers).json() for headers in (CUSTOMER, REVIEWER)]
    assert [len(answer["results"]) for answer in shown] == [20, 40]
