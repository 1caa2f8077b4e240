"""``python -m ingest same``: images of an index that show the same."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import chain
from uuid import UUID

from tqdm import tqdm

from catalog import points_of
from index import CatalogIndex, IndexSettings, all_points, build_settings, open_store
from ingest.commands.parser import command_parser
from ingest.duplicates.clusters import clusters
from ingest.duplicates.find import find_duplicates
from ingest.logs import print_lines
from schemas import DuplicateCluster, ProductNotFound

_EPILOG = """\
identical       the same bytes
near-identical  copies: scaled, compressed, lit, marked, or with the edges cut
similar         they merely look alike; a mirrored image is one of these

Images of the variants of one group are not compared. A line of stdout is one JSON object:
{"kind": .., "pictures": [{"product", "picture", "source", "root"}, ..]}, the most images first.
"""


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("same", "List the images of an index that show the same.", _EPILOG)
    parser.add_argument("--similar", action="store_true", help="Also those that merely look alike.")
    parser.add_argument("--product", metavar="ID", help="Only what is the same as an image of this one.")
    parser.add_argument("--limit", metavar="N", type=int, help="At most so many lines.")
    given = parser.parse_args(arguments)
    if given.limit is not None and given.limit < 1:
        parser.error(f"--limit: at least 1, not {given.limit}")
    settings = build_settings(IndexSettings, parser, given)
    with closing(open_store(settings).open()) as index:
        points = _points(index, given.product)
        found = clusters(find_duplicates(index, points, similar=given.similar))
    print_lines(cluster.model_dump_json() for cluster in found[: given.limit])
    print(_summary(found, given.limit), file=sys.stderr)
    return 0


def _points(index: CatalogIndex, product: str | None) -> Iterator[UUID]:
    """Raises ProductNotFound."""
    if product is None:
        return iter(tqdm(all_points(index), total=index.count(), unit=" products", file=sys.stderr, disable=None))
    found = index.values(points_of(product), ["id"])
    if not found:
        raise ProductNotFound(f"there is no product {product!r}")
    return iter(found)


def _summary(found: Sequence[DuplicateCluster], limit: int | None) -> str:
    counts = Counter(cluster.kind for cluster in found)
    images = len(set(chain.from_iterable(cluster.pictures for cluster in found)))
    if not found:
        return "no images that show the same"
    said = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    left = f"; the first {limit:,} are listed" if limit is not None and limit < len(found) else ""
    return f"{len(found):,} groups of {images:,} images that show the same: {said}{left}"
