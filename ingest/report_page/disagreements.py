"""A page of products that look like something else than their catalog says, whole in one file; and the same as JSON."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from catalog import image_sources, points_of, stored_image_hash
from images import ImageLimits, ImageRoot, ImageSettings, ImageStore, Thumbnails, is_kept, open_root
from index import CatalogIndex
from ingest.report_page.gallery import Gallery
from labels import Comparison
from schemas import ConfigurationError, DisputedProduct
from schemas.files import replace_file

_HERE = Path(__file__).parent
MOST = 200
"""Products on the page; the JSON has all of them."""


def write_disagreements(
    path: Path,
    data_dir: Path,
    index: CatalogIndex,
    label_set: str,
    comparison: Comparison,
) -> None:
    """Write the page, and the JSON beside it, each in one step.

    Raises:
        ConfigurationError: the disk does not take them.
    """
    found = comparison.disputed
    document = {
        "label_set": label_set,
        "field": comparison.field,
        "compared": comparison.compared,
        "count": len(found),
    }
    style = (_HERE / "report_page.css").read_text(encoding="utf-8")
    page = (
        _environment()
        .get_template("disagreements.html")
        .render(
            document,
            collection=index.record.collection,
            model=index.record.embedding.model,
            products=list(zip(found[:MOST], _images(data_dir, index, found[:MOST]), strict=True)),
            now=datetime.now(UTC),
            style=style,
            style_digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        )
    )
    every = document | {"products": [one.model_dump() for one in found]}
    try:
        replace_file(path, page.encode("utf-8", "replace"))
        replace_file(path.with_suffix(".json"), json.dumps(every, ensure_ascii=False, indent=1).encode())
    except OSError as error:
        raise ConfigurationError(f"the report could not be written to {path}: {error.strerror}") from error


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _images(data_dir: Path, index: CatalogIndex, found: Sequence[DisputedProduct]) -> list[str | None]:
    """The first image of each that can be shown, as a data: URI; nothing is fetched."""
    limits, store = ImageLimits(), ImageStore(data_dir / "pictures")
    folders = ImageSettings().picture_folders
    stored = index.fetch([point for one in found for point in points_of(one.id)])
    payloads = {product.payload["id"]: product.payload for product in stored.values()}
    with ExitStack() as held:
        roots: dict[str, ImageRoot] = {}

        def read(root: str | None, source: str) -> bytes | None:
            if root is None:
                return store.get(source)
            if root not in roots:
                roots[root] = held.enter_context(closing(open_root(root, limits, folders)))
            return roots[root].read(source)

        gallery = Gallery(read, held.enter_context(Thumbnails(limits)))
        return [_first(payloads.get(one.id, {}), gallery) for one in found]


def _first(payload: dict[str, Any], gallery: Gallery) -> str | None:
    for at, source in enumerate(image_sources(payload)):
        if is_kept(source):
            hash = stored_image_hash(payload, at)
            image = gallery.show(None, hash) if hash else None
        else:
            image = gallery.show(payload["root"], source)
        if image:
            return image
    return None
