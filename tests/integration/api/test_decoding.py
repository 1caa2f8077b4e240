"""Photos that were made to hurt: whoever sends one gets an answer, and nobody else notices."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from embedding import keep_freed_memory
from images import DecodePool, ImageLimits, QueueLimits
from tests.integration.api.conftest import Drawn
from tests.support.encoders import Poisoned
from tests.support.harm import compute_from
from tests.support.images import bomb, encode, photo, scanned
from tests.support.serving import client, ingest, served

POISON = encode(Image.new("RGB", (9, 9), (1, 2, 3)), "PNG")
FOR_EVER = 1_000.0


@contextmanager
def hanging(data: Path, begun: Path, **waiting: Any) -> Iterator[str]:
    """An API that decodes ``POISON`` for ever, with one process for all photos; which one is written to ``begun``."""
    bounds = QueueLimits(**{"quick": 0.1, "most": 8, "timeout": FOR_EVER} | waiting)
    with (
        DecodePool(ImageLimits(), 1, FOR_EVER, keep_freed_memory, bounds) as decoders,
        served(data, Poisoned(partial(compute_from, begun, Image.new("L", (1, 1)))), decoders) as service,
    ):
        yield service.url


def search(address: str, image: bytes) -> httpx.Response:
    return httpx.post(f"{address}/v1/search/image", files={"file": image}, timeout=None)


def ask_and_wait(address: str, image: bytes) -> HTTPConnection:
    """A client that has asked and does not read the answer yet."""
    request = httpx.Request("POST", f"{address}/v1/search/image", files={"file": image})
    connection = HTTPConnection(request.url.host, request.url.port)
    connection.request("POST", request.url.path, request.read(), dict(request.headers))
    return connection


@pytest.mark.parametrize(("image", "code"), [(scanned(200), "picture-too-costly"), (bomb(), "picture-too-many-pixels")])
def test_a_bomb_is_told_by_what_it_says_of_itself(api: TestClient, image: bytes, code: str) -> None:
    as_json = {"image": {"base64": base64.b64encode(image).decode()}}
    for response in (
        api.post("/v1/search/image", files={"file": image}),
        api.post("/v1/search", json=as_json),
    ):
        assert (response.status_code, response.json()["code"]) == (422, code)


def test_a_product_s_image_that_was_replaced_by_a_bomb_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(encode(Image.new("RGB", (20, 20), "red"), "TIFF"))
    catalog = tmp_path / "catalog.jsonl"
    catalog.write_text(json.dumps({"id": "a", "title": "A", "image": "a.tif"}))
    ingest(catalog, tmp_path / "data")
    with client(tmp_path / "data") as api:
        assert api.get("/v1/products/a/images/0").headers["content-type"] == "image/jpeg"
        (tmp_path / "a.tif").write_bytes(encode(Image.new("1", (30_000, 30_000)), "TIFF", compression="group4"))
        refused = api.get("/v1/products/a/images/0")
        assert (refused.status_code, "picture-too-many-pixels" in refused.json()["detail"]) == (404, True)


def test_while_a_photo_is_decoded_for_ever_others_are_answered_and_it_ends_with_its_client(
    drawn: Drawn, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    with hanging(drawn.data, begun) as address:
        slow = ask_and_wait(address, POISON)
        process = psutil.Process(int(begun.read_text()))  # once it says so
        for size in range(3, 6):
            assert httpx.get(f"{address}/healthz").status_code == 200
            assert httpx.post(f"{address}/v1/search", json={"text": "red star"}).status_code == 200
            assert search(address, photo(size * 100)).status_code == 200
        assert process.is_running()
        slow.close()
        process.wait()
        assert search(address, photo(700)).status_code == 200
        assert '/v1/search/image",status="499"} 1.0' in httpx.get(f"{address}/metrics").text


def test_who_would_wait_too_long_is_told_when_to_come_again(drawn: Drawn, tmp_path: Path) -> None:
    with hanging(drawn.data, tmp_path / "begun", quick=FOR_EVER, timeout=0.1) as address:
        slow = ask_and_wait(address, POISON)
        for size in count(100):  # until the other one has the place
            refused = search(address, photo(size))
            if refused.status_code != 200:
                break
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert refused.headers["retry-after"] == "2"
        slow.close()
