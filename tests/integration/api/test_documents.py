"""Documents over HTTP: their versions, their conditions, and what is refused."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from index.edge.store import EmbeddedStore
from schemas import DOCUMENT_KINDS, MAX_DOCUMENT_BYTES, Document
from search import Searcher
from tests.integration.api.conftest import Drawn
from tests.integration.ingest.jobs import write_rows
from tests.support.qdrant_server import qdrant_server
from tests.support.serving import client, ingest
from tests.support.waiting import within

HOUSE = "/v1/documents/synonyms/house"
SOFAS = {"groups": [["sofa", "couch"]]}
SHOES = {"one_way": [{"from": "trainers", "to": ["running shoes"]}], "language": "en"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[TestClient]:
    """Nothing is ingested yet; documents need no index."""
    with client(tmp_path) as opened:
        yield opened


def test_a_document_is_written_read_changed_and_deleted(api: TestClient) -> None:
    assert api.get(HOUSE).json()["code"] == "document-not-found"
    new = api.put(HOUSE, json=SOFAS)
    assert (new.status_code, new.headers["etag"]) == (201, '"1"')
    assert (new.json()["name"], new.json()["version"]) == ("house", 1)
    read = api.get(HOUSE)
    assert (read.json(), read.headers["etag"], read.headers["content-type"]) == (SOFAS, '"1"', "application/json")
    assert api.head(HOUSE).headers["etag"] == '"1"'
    changed = api.put(HOUSE, json=SHOES, headers={"If-Match": read.headers["etag"]})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert api.get(HOUSE).json() == SHOES
    assert api.get("/v1/documents/synonyms").json() == {"documents": [changed.json()]}
    for kind in set(DOCUMENT_KINDS) - {"synonyms"}:
        assert api.get(f"/v1/documents/{kind}").json() == {"documents": []}
    gone = api.delete(HOUSE)
    assert (gone.status_code, gone.content) == (204, b"")
    assert api.get(HOUSE).status_code == api.delete(HOUSE).status_code == 404
    again = api.put(HOUSE, json=SOFAS)
    assert (again.status_code, again.headers["etag"]) == (201, '"4"')


@pytest.mark.parametrize("condition", ['"1"', 'W/"1"', "1", '"7", "1"', "*"])
def test_a_condition_that_is_met(api: TestClient, condition: str) -> None:
    api.put(HOUSE, json=SOFAS)
    assert api.put(HOUSE, json=SHOES, headers={"If-Match": condition}).status_code == 200


@pytest.mark.parametrize("condition", ['"2"', '"11"', '""', "nonsense", "é".encode()])
def test_a_condition_that_is_not_met_changes_nothing(api: TestClient, condition: str) -> None:
    api.put(HOUSE, json=SOFAS)
    for refused in (
        api.put(HOUSE, json=SHOES, headers={"If-Match": condition}),
        api.delete(HOUSE, headers={"If-Match": condition}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (412, "document-changed")
        assert "is of version 1, and If-Match asks for" in refused.json()["detail"]
    assert api.get(HOUSE).headers["etag"] == '"1"'


def test_conditions_on_whether_there_is_one(api: TestClient) -> None:
    for condition in ("*", '"1"'):
        assert api.put(HOUSE, json=SOFAS, headers={"If-Match": condition}).status_code == 412
        assert api.delete(HOUSE, headers={"If-Match": condition}).status_code == 412
    assert api.put(HOUSE, json=SOFAS, headers={"If-None-Match": "*"}).status_code == 201
    assert api.put(HOUSE, json=SOFAS, headers={"If-None-Match": "*"}).status_code == 412
    assert api.put(HOUSE, json=SOFAS, headers={"If-None-Match": "*", "If-Match": '"1"'}).status_code == 412
    refused = api.put(HOUSE, json=SOFAS, headers={"If-None-Match": '"1"'})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "If-None-Match")


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("synonyms", {}, None),
        ("synonyms", {"groups": [["sofa", "couch"], ["mug"]]}, "groups.1"),
        ("synonyms", {"groups": [["sofa", "couch"], ["mug", 7]]}, "groups.1.1"),
        ("synonyms", {"one_way": [{"from": "a", "to": ["b", "A"]}]}, "one_way.0"),
        ("synonyms", {"groups": [["sofa", "couch"]], "grups": []}, "grups"),
        ("rules", {"when": {"query": {}}, "then": {"hide": ["1"]}}, "when.query"),
        ("rules", {"when": {}, "then": {"pin": [{"id": "1", "position": 0}]}}, "then.pin.0.position"),
        ("label-sets", {"labels": [{"name": "cat"}], "templates": ["a photo"]}, "templates.0"),
        ("label-sets", {"labels": [{"name": "food", "labels": [{"name": 3}]}]}, "labels.0.labels.0.name"),
        ("policies", {"rules": [{"name": "a", "prompts": ["b"], "action": "burn"}]}, "rules.0.action"),
        (
            "policies",
            {"rules": [{"name": "a", "images": [{"base64": "!!"}], "action": "block"}]},
            "rules.0.images.0.base64",
        ),
        ("calibrations", [], None),
    ],
)
def test_what_is_wrong_is_named_by_its_place(api: TestClient, kind: str, body: Any, field: str | None) -> None:
    refused = api.put(f"/v1/documents/{kind}/house", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "document-invalid")
    assert [error["field"] for error in refused.json().get("errors", [])] == ([field] if field else [])
    assert api.get(f"/v1/documents/{kind}").json() == {"documents": []}


@pytest.mark.parametrize("name", ["search", "label-set-hue", "policy-retail"])
def test_a_calibration_is_refused_that_nothing_could_go_by(api: TestClient, name: str) -> None:
    refused = api.put(f"/v1/documents/calibrations/{name}", json={"foo": 1})
    assert (refused.status_code, refused.json()["code"]) == (422, "document-invalid")
    assert [error["field"] for error in refused.json()["errors"]] == ["model" if name == "search" else "name"]
    assert api.get(f"/v1/documents/calibrations/{name}").status_code == 404


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 100_000, b"\xff", b'{"groups": [], "groups": []}', b'{"a": NaN}', b'{"a": "\\ud800"}']
)
def test_what_is_no_json_is_refused(api: TestClient, body: bytes) -> None:
    refused = api.put("/v1/documents/calibrations/a", content=body, headers={"content-type": "application/json"})
    assert refused.status_code == 422
    assert refused.json()["code"] in ("request-invalid", "document-invalid")


def test_other_bodies_names_and_methods_are_refused(api: TestClient) -> None:
    large = json.dumps({"a": "x" * MAX_DOCUMENT_BYTES})
    for body, kind, status in ((large, "application/json", 413), ("{}", "text/plain", 415)):
        refused = api.put("/v1/documents/calibrations/a", content=body, headers={"content-type": kind})
        assert refused.status_code == status
    for path in ("/v1/documents/nonsense/house", "/v1/documents/synonyms/House", "/v1/documents/synonyms/.a"):
        for refused in (api.get(path), api.put(path, json=SOFAS), api.delete(path)):
            assert (refused.status_code, refused.json()["code"]) == (422, "request-invalid")
    assert api.get("/v1/documents/synonyms?nope=1").status_code == 422
    refused = api.post(HOUSE, json=SOFAS)
    assert (refused.status_code, set(refused.headers["allow"].split(", "))) == (405, {"DELETE", "GET", "HEAD", "PUT"})


def test_a_key_is_needed_where_there_are_keys(tmp_path: Path) -> None:
    with client(tmp_path, api_keys="key") as api:
        for refused in (api.get(HOUSE), api.put(HOUSE, json=SOFAS), api.delete(HOUSE)):
            assert refused.status_code == 401
        assert api.put(HOUSE, json=SOFAS, headers={"Authorization": "Bearer key"}).status_code == 201


def test_a_damaged_one_is_told_and_can_be_written_anew(api: TestClient, tmp_path: Path) -> None:
    api.put(HOUSE, json=SOFAS)
    api.put("/v1/documents/synonyms/shoes", json=SHOES)
    [file] = (tmp_path / "products/documents/synonyms").glob("house.*")
    file.write_bytes(b'{"changed')
    damaged = api.get(HOUSE)
    assert (damaged.status_code, damaged.json()["code"]) == (500, "document-damaged")
    assert str(tmp_path) not in damaged.text
    house, shoes = api.get("/v1/documents/synonyms").json()["documents"]
    assert (house, shoes["name"]) == ({"name": "house", "version": 1}, "shoes")
    assert api.put(HOUSE, json=SHOES, headers={"If-Match": '"1"'}).status_code == 200
    assert api.get(HOUSE).json() == SHOES


def test_a_server_that_is_away_is_told(tmp_path: Path) -> None:
    with qdrant_server() as server, client(tmp_path, qdrant_url=server.url, qdrant_seconds=0.3) as api:
        assert api.put(HOUSE, json=SOFAS).status_code == 201
        server.bad_day = lambda _: (500, "no")
        for refused in (api.get(HOUSE), api.put(HOUSE, json=SHOES), api.delete(HOUSE)):
            assert (refused.status_code, refused.json()["code"]) == (503, "index-unavailable")
        server.bad_day = lambda _: None
        assert api.get(HOUSE).json() == SOFAS


def test_a_service_goes_on_with_what_others_have_written(
    drawn: Drawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.serving.DOCUMENTS_SECONDS", 0.01)
    used: list[list[str]] = []
    use = Searcher.use

    def noted(self: Searcher, documents: Sequence[Document]) -> None:
        used.append([document.name for document in documents])
        use(self, documents)

    monkeypatch.setattr(Searcher, "use", noted)
    data = shutil.copytree(drawn.data, tmp_path / "data")
    others = EmbeddedStore(data, "products").documents
    others.write("synonyms", "before", SOFAS)
    with client(data):
        assert used == [["before"]]
        others.write("synonyms", "house", SOFAS)
        assert within(10, lambda: used[-1] == ["before", "house"])
        others.delete("synonyms", "before")
        assert within(10, lambda: used[-1] == ["house"])
    assert len(used) == 3


def test_a_document_that_changes_while_searches_go_on(tmp_path: Path) -> None:
    """Answers follow, whoever has written it, and none fails."""
    rows = [{"id": f"sofa-{n}", "title": f"Sofa {n}"} for n in range(3)] + [{"id": "rug", "title": "Rug"}]
    ingest(write_rows(tmp_path / "rows.jsonl", rows), tmp_path / "data")
    others = EmbeddedStore(tmp_path / "data", "products").documents
    done = threading.Event()
    with client(tmp_path / "data") as api, ThreadPoolExecutor(4) as threads:

        def ask(text: str = "zofe", **further: Any) -> Any:
            answer = api.post("/v1/search", json={"text": text, "explain": True, **further})
            assert answer.status_code == 200, answer.text
            return answer.json()

        def expanded() -> Any:
            return ask()["query"].get("expanded")

        def go_on() -> None:
            while not done.is_set():
                ask()

        going = [threads.submit(go_on) for _ in range(4)]
        try:
            assert expanded() is None
            for word, ids in (("sofa", {"sofa-0", "sofa-1", "sofa-2"}), ("rug", {"rug"})):
                api.put(HOUSE, json={"groups": [["zofe", word]]})
                answer = ask()  # this very process follows at once
                assert answer["query"]["expanded"] == [{"word": "zofe", "synonyms": [word]}]
                assert {hit["id"] for hit in answer["hits"][: len(ids)]} == ids
                assert ask(literal=True)["query"].get("expanded") is None
            others.write("synonyms", "house", {"groups": [["zofe", "rug"]]})
            assert within(10, lambda: expanded() == [{"word": "zofe", "synonyms": ["rug"]}])
            others.delete("synonyms", "house")
            assert within(10, lambda: expanded() is None)
        finally:
            done.set()
        for one in going:
            one.result()
