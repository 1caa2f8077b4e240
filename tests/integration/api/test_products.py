"""GET /v1/catalog and /v1/products/…, with ids of any characters."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests.integration.api.conftest import AWKWARD, Drawn
from tests.support.images import photo
from tests.support.serving import client


@pytest.fixture(scope="module")
def vases(awkward: Path) -> Iterator[TestClient]:
    with client(awkward / "data") as opened:
        yield opened


@pytest.mark.parametrize("product_id", AWKWARD)
def test_any_id_is_one_segment_of_every_product_path(vases: TestClient, product_id: str) -> None:
    path = f"/v1/products/{quote(product_id, safe='')}"
    product = vases.get(path)
    assert product.status_code == 200
    assert product.json()["id"] == product_id
    (address,) = product.json()["images"]
    assert Image.open(BytesIO(vases.get(address).content)).size == (400, 300)
    similar = vases.get(f"{path}/similar", params={"limit": 100}).json()["hits"]
    assert {hit["id"] for hit in similar} == {*AWKWARD, "replaced"} - {product_id}


@pytest.mark.parametrize(
    "segment", ["nope", "..%2F..%2Fetc%2Fpasswd%00", "%2e%2e%2f%2e%2e", "%ff", "%", "%zz", "%ED%A0%80", "x" * 5000]
)
@pytest.mark.parametrize("rest", ["", "/similar", "/images/0"])
def test_a_product_that_is_not_there_is_not_found(vases: TestClient, segment: str, rest: str) -> None:
    response = vases.get(f"/v1/products/{segment}{rest}")
    assert response.status_code == 404, response.text
    assert response.headers["content-type"] == "application/problem+json"


def test_a_product_is_its_row(api: TestClient, drawn: Drawn) -> None:
    row = drawn.rows[7]
    assert api.get(f"/v1/products/{row['id']}").json() == {
        "id": row["id"],
        "product": row,
        "images": [f"/v1/products/{row['id']}/images/0"],
    }


def test_a_image_cannot_run_as_a_page(api: TestClient) -> None:
    response = api.get("/v1/products/star-plain-red/images/0")
    assert response.headers["content-type"].startswith("image/")
    assert "sandbox" in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"
    Image.open(BytesIO(response.content)).load()


@pytest.mark.parametrize(("number", "status"), [("1", 404), ("-1", 404), ("9" * 30, 404), ("first", 422), ("0.5", 422)])
def test_a_image_that_is_not_there_is_refused(api: TestClient, number: str, status: int) -> None:
    response = api.get(f"/v1/products/star-plain-red/images/{number}")
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def test_a_image_replaced_by_a_link_out_of_the_catalog_is_not_served(
    vases: TestClient, awkward: Path, tmp_path: Path
) -> None:
    image, secret = awkward / "replaced.jpg", tmp_path / "secret.jpg"
    assert vases.get("/v1/products/replaced/images/0").status_code == 200
    secret.write_bytes(photo())
    image.unlink()
    image.symlink_to(secret)
    response = vases.get("/v1/products/replaced/images/0")
    assert (response.status_code, response.json()["code"]) == (404, "picture-not-found")
    assert str(tmp_path) not in response.text


def test_similar_products_come_in_pages(api: TestClient) -> None:
    path = "/v1/products/star-plain-red/similar"
    first = api.get(path, params={"limit": 5}).json()
    second = api.get(path, params={"limit": 5, "cursor": first["next_cursor"]}).json()
    ids = [hit["id"] for hit in first["hits"] + second["hits"]]
    assert len(set(ids)) == 10
    assert "star-plain-red" not in ids
    assert api.get(path, params={"limit": 0}).status_code == 422
    assert api.get(path, params={"cursor": "nonsense"}).status_code == 422


def test_the_catalog_says_what_is_served(api: TestClient, drawn: Drawn) -> None:
    served = api.get("/v1/catalog").json()
    assert (served["collection"], served["products"]) == ("products", 48)
    assert (served["model"]["model"], served["model"]["dimension"]) == ("hash", 32)
    assert {"name": "corners", "kind": "integer"} in served["fields"]
    assert "attribution" not in served or served["attribution"] is None


def test_the_catalog_thanks_whom_it_is_to_thank(vases: TestClient, awkward: Path) -> None:
    (awkward / "ATTRIBUTION.txt").write_text("Vases: the potter\n", encoding="utf-8")
    assert vases.get("/v1/catalog").json()["attribution"] == "Vases: the potter"
