"""``python -m ingest moderate``, the gate of a job, and what searches show afterwards."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from index import IndexSettings, open_store
from ingest.commands import moderate
from labels import starter_policy
from schemas import (
    ConfigurationError,
    Decided,
    DocumentChanged,
    DocumentNotFound,
    IndexMissing,
    ProductNotFound,
    SearchRequest,
)
from search import Searcher
from tests.support.colors import color_png, write_lines, write_tiles
from tests.support.commands import printed
from tests.support.encoders import ColorEncoder, CountingColors
from tests.support.serving import client, ingest

POLICY: dict[str, Any] = {
    "rules": [
        {"name": "no red", "prompts": ["red"], "counter_prompts": ["green", "blue", "yellow"], "action": "block"},
        {"name": "bluish", "prompts": ["blue"], "counter_prompts": ["green", "red", "yellow"], "action": "review"},
    ]
}


class Shop:
    """An index of coloured tiles, and what is done with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = write_tiles(folder)
        self.data = folder / "data"
        self.encoder = CountingColors()
        self.store = open_store(IndexSettings(data_dir=self.data))

    def write(self, policy: dict[str, Any], name: str = "house") -> None:
        self.store.documents.write("policies", name, policy)

    def ingest(self, encoder: ColorEncoder | None = None, **settings: Any) -> None:
        ingest(write_lines(self.folder / "catalog.jsonl", self.rows), self.data, encoder or self.encoder, **settings)

    def moderate(self, *arguments: str) -> int:
        return moderate.main([*arguments, "--data-dir", str(self.data)], lambda _: self.encoder)

    def stored(self, product: str) -> dict[str, Any] | None:
        with closing(self.store.open()) as index:
            payload = Searcher(index, self.encoder).product(product).payload
            found: dict[str, Any] | None = payload.get("moderation")
            return found

    def found(self, *, reviewer: bool = True) -> set[str]:
        """The colours that a browse shows."""
        with closing(self.store.open()) as index:
            request = SearchRequest(filter={}, sort=None, text="tile", limit=100, facets=["brand"])
            answer = Searcher(index, self.encoder).search(request, reviewer=reviewer).response
            assert answer.facets is not None
            assert answer.total.value == len(answer.hits) == sum(one.count for one in answer.facets["brand"].values)
            return {hit.id.partition("-")[0] for hit in answer.hits}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.ingest()
    shop.write(POLICY)
    return shop


def test_a_whole_index_is_judged_from_stored_vectors(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    embedded = shop.encoder.images
    before = shop.store.version()
    assert shop.moderate("--policy", "house") == 0
    done = printed(capsys)
    assert {name: done[name] for name in ("products", "allow", "review", "block", "changed", "appeals")} == {
        "products": 40,
        "allow": 20,
        "review": 10,
        "block": 10,
        "changed": 20,
        "appeals": 0,
    }
    assert shop.encoder.images == embedded
    assert done["generation"] == shop.store.version() != before
    decision = shop.stored("red-0")
    assert decision is not None
    (rule,) = decision["rules"]
    assert (decision["action"], decision["policy"], decision["version"]) == ("block", "house", 1)
    assert rule["rule"] == "no red"
    assert rule["score"] >= rule["threshold"] == 0
    assert shop.stored("green-1") is None
    assert shop.found() == {"blue", "green", "yellow"}
    assert shop.found(reviewer=False) == {"green", "yellow"}


def test_judging_again_writes_nothing_but_what_is_otherwise(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert shop.moderate() == 0
    first = printed(capsys)
    assert shop.moderate() == 0
    again = printed(capsys)
    assert (again["changed"], again["generation"]) == (0, first["generation"])
    shop.write({"rules": POLICY["rules"][1:]})
    assert shop.moderate() == 0
    edited = printed(capsys)
    assert (edited["version"], edited["block"], edited["review"]) == (2, 0, 10)
    assert shop.stored("red-0") is None
    decision = shop.stored("blue-2")
    assert decision is not None
    assert decision["version"] == 2
    assert shop.found() == {"red", "blue", "green", "yellow"}


def test_the_strictest_of_all_policies_counts_and_one_that_is_gone_does_not(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.moderate()
    shop.write(
        {"rules": [{"name": "reddish", "prompts": ["red"], "counter_prompts": ["blue"], "action": "review"}]}, "b"
    )
    assert shop.moderate("--policy", "b") == 0
    stored = shop.stored("red-0")
    assert stored is not None
    assert (stored["policy"], stored["action"]) == ("house", "block")
    assert [(one["policy"], one["action"]) for one in stored["others"]] == [("b", "review")]
    assert shop.found() == {"blue", "green", "yellow"}
    capsys.readouterr()
    # A person's decision is before them all, and once taken back they count again.
    assert shop.moderate("appeal", "red-0", "--action", "allow", "--by", "anna") == 0
    assert (shop.stored("red-0") or {})["action"] == "allow"
    assert shop.moderate("appeal", "red-0", "--action", "withdraw", "--by", "anna") == 0
    assert shop.stored("red-0") == stored
    assert shop.moderate("appeal", "green-1", "--action", "block", "--by", "anna") == 0
    assert shop.moderate("appeal", "green-1", "--action", "withdraw", "--by", "anna") == 0
    assert shop.stored("green-1") is None
    # What changes in the catalog is judged by one policy, and keeps what the others said.
    for row in shop.rows:
        row["title"] = f"new {row['title']}"
    shop.ingest(policy="b")
    assert (shop.stored("red-0") or {})["action"] == "block"
    shop.store.documents.delete("policies", "house")
    assert shop.moderate("--policy", "b") == 0
    after = shop.stored("red-0")
    assert after is not None
    assert (after["policy"], after["action"], "others" in after) == ("b", "review", False)


def test_what_a_person_decides_outlives_every_judgement_and_is_logged(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.moderate()
    assert shop.moderate("appeal", "red-0", "--action", "allow", "--by", "anna", "--note", "a tomato") == 0
    assert shop.moderate("appeal", "green-1", "--action", "block", "--by", "bert") == 0
    capsys.readouterr()
    shop.write(POLICY)
    assert shop.moderate() == 0
    assert printed(capsys)["appeals"] == 2
    allowed, blocked = shop.stored("red-0"), shop.stored("green-1")
    assert allowed is not None
    assert blocked is not None
    assert (allowed["action"], allowed["judged"], allowed["version"]) == ("allow", "block", 2)
    assert allowed["appeal"]["by"] == "anna"
    assert (blocked["action"], blocked["judged"]) == ("block", "allow")
    lines = (shop.data / "products" / "appeals.jsonl").read_text(encoding="utf-8").splitlines()
    logged = [json.loads(line) for line in lines]
    assert [(one["id"], one["before"], one["action"], one["by"]) for one in logged] == [
        ("red-0", "block", "allow", "anna"),
        ("green-1", "allow", "block", "bert"),
    ]
    assert logged[0]["note"] == "a tomato"
    # A person may think again.
    assert shop.moderate("appeal", "red-0", "--action", "review", "--by", "carla") == 0
    allowed = shop.stored("red-0")
    assert allowed is not None
    assert (allowed["action"], allowed["judged"], allowed["appeal"]["by"]) == ("review", "block", "carla")


def test_an_ingest_keeps_what_was_decided(shop: Shop) -> None:
    shop.moderate()
    shop.moderate("appeal", "green-1", "--action", "block", "--by", "bert")
    shop.rows[0]["price"] = 5.0  # its payload is written
    shop.rows[1]["title"] = "a tile that is green"  # its words are embedded
    (shop.folder / "2.png").write_bytes(color_png("blue", 77))  # its image is
    before = {id: shop.stored(id) for id in ("red-0", "green-1", "blue-2")}
    shop.ingest()
    assert {id: shop.stored(id) for id in before} == before
    assert all(before.values())


def test_so_does_one_with_another_model(shop: Shop) -> None:
    shop.moderate("appeal", "green-1", "--action", "block", "--by", "bert")

    class Other(CountingColors):
        spec = ColorEncoder.spec.model_copy(update={"fingerprint": "1" * 64})

    shop.encoder = Other()
    shop.ingest()
    stored = shop.stored("green-1")
    assert stored is not None
    assert stored["appeal"]["by"] == "bert"


def test_a_gate_decides_before_anybody_can_find_a_product(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.write(POLICY)
    shop.ingest(policy="house")
    assert shop.found(reviewer=False) == {"green", "yellow"}
    (tmp_path / "new.png").write_bytes(color_png("red", 88))
    shop.rows.append({"id": "red-new", "title": "red tile", "image": "new.png", "brand": "red"})
    shop.rows[0]["title"] = "tile"
    shop.ingest(policy="house")
    for product in ("red-0", "red-new"):
        stored = shop.stored(product)
        assert stored is not None
        assert (stored["action"], stored["policy"]) == ("block", "house")
    with pytest.raises(DocumentNotFound):
        shop.ingest(policy="nothing")


def test_only_keys_that_may_review_find_what_waits_for_a_review(shop: Shop) -> None:
    shop.moderate()

    def colors(key: str) -> set[str]:
        with client(shop.data, encoder=shop.encoder, api_keys="customer", review_keys="reviewer") as api:
            headers = {"Authorization": f"Bearer {key}"}
            answer = api.post("/v1/search", json={"text": "tile", "limit": 100}, headers=headers)
            assert answer.status_code == 200, answer.text
            similar = api.get("/v1/products/green-1/similar?limit=100", headers=headers).json()["hits"]
            found = {hit["product"]["brand"] for hit in answer.json()["hits"]}
            assert {hit["product"]["brand"] for hit in similar} == found
            return found

    assert colors("customer") == {"green", "yellow"}
    assert colors("reviewer") == {"green", "yellow", "blue"}
    with client(shop.data, encoder=shop.encoder, api_keys="customer", review_keys="reviewer") as api:
        assert api.post("/v1/search", json={"text": "tile"}).status_code == 401


def test_decisions_are_listed(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.moderate()
    capsys.readouterr()
    assert shop.moderate("list", "--action", "review") == 0
    listed = printed(capsys)["products"]
    assert {one["id"].partition("-")[0] for one in listed} == {"blue"}
    assert all(one["rules"][0]["rule"] == "bluish" for one in listed)


def test_a_policy_to_begin_with_is_uncalibrated_and_only_asks_for_a_look(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.moderate("starter") == 0
    assert printed(capsys) == {"policy": "retail", "version": 1}
    with pytest.raises(DocumentChanged):  # nobody's changes are lost
        shop.moderate("starter")
    content = starter_policy()
    assert all(rule["action"] == "review" and "threshold" not in rule for rule in content["rules"])
    assert {"weapons", "nudity", "gore", "drugs", "hate symbols"} <= {rule["name"] for rule in content["rules"]}
    capsys.readouterr()
    assert shop.moderate("--policy", "retail") == 0
    with closing(shop.store.open()) as index:
        assert index.count(Decided(("block",))) == 0


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (["appeal", "--action", "allow", "--by", "a"], SystemExit, "needs the ID"),
        (["appeal", "red-0", "--by", "a"], SystemExit, "needs --action and --by"),
        (["judge", "red-0"], SystemExit, "takes no ID"),
        (["appeal", "nobody", "--action", "allow", "--by", "a"], ProductNotFound, "there is no product 'nobody'"),
        (["--policy", "nothing"], DocumentNotFound, "nothing"),
    ],
)
def test_what_cannot_be_done_is_told(
    shop: Shop, arguments: list[str], error: type[BaseException], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(error) as raised:
        shop.moderate(*arguments)
    assert said in str(raised.value) + capsys.readouterr().err


def test_without_an_index_or_a_policy_it_says_what_to_do(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    with pytest.raises(ConfigurationError, match="moderate starter"):
        shop.moderate()
    shop.write(POLICY)
    with pytest.raises(IndexMissing, match="ingest a catalog first"):
        shop.moderate()
