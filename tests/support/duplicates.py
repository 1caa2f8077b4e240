"""An index of products with images, some of them copies of each other, made without a job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from catalog import StoredImage, StoredState, payload, point_id
from images import hash_bytes, image_fingerprint
from index import IndexStore, Point
from schemas import FieldKind, Product
from tests.support.encoders import HashEncoder
from tests.support.images import encode
from tests.support.points import index_record

_KINDS: dict[str, FieldKind] = {"id": "keyword", "group_id": "keyword"}


def scene(number: int) -> Image.Image:
    """An image like no other: patches of colour, and the same for the same number."""
    patches = np.random.default_rng(number).integers(0, 256, (5, 5, 3), np.uint8)
    return Image.fromarray(patches).resize((160, 160), Image.Resampling.BICUBIC)


def png(image: Image.Image) -> bytes:
    return encode(image, "PNG")


def saved_again(image: Image.Image) -> bytes:
    """Smaller, and compressed."""
    return encode(image.resize((120, 120)), "JPEG", quality=60)


@dataclass(frozen=True)
class WithImages:
    """A product and the bytes of its images."""

    id: str
    images: Sequence[bytes]
    group: str | None = None


def many(count: int, first: int = 1000) -> list[WithImages]:
    """Products that have nothing to do with each other."""
    return [WithImages(f"other{number}", [png(scene(number))]) for number in range(first, first + count)]


def write(store: IndexStore, products: Sequence[WithImages], *, crops_per_image: int = 1) -> None:
    """Add products to the index; with ``crops_per_image`` every image has rows beside that of the whole image."""
    record = index_record(_KINDS, HashEncoder.spec).model_copy(update={"crops_per_image": crops_per_image})
    with store.lock():
        build = store.begin(record)
        build.upsert([point(product, crops_per_image) for product in products])
        build.commit()


def point(
    product: WithImages, crops_per_image: int = 1, phash: Callable[[Image.Image], str | None] = image_fingerprint
) -> Point:
    sources = tuple(f"{product.id}-{at}.jpg" for at in range(len(product.images)))
    images = [Image.open(BytesIO(data)).convert("RGB") for data in product.images]
    stored = tuple(
        StoredImage(at, hash_bytes(data), phash(image))
        for at, (data, image) in enumerate(zip(product.images, images, strict=True))
    )
    others = crops_per_image - 1
    shown = [crop for image in images for crop in (image, *[image.transpose(Image.Transpose.ROTATE_180)] * others)]
    return Point(
        point_id(product.id),
        payload(
            Product(id=product.id, title="picture", images=sources, group_id=product.group),
            kinds=_KINDS,
            root="/",
            state=StoredState(words="", payload="", images=stored),
        ),
        {"image": HashEncoder().encode_images(shown)} if shown else {},
        "picture",
    )
