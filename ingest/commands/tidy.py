"""``python -m ingest tidy``: images that are kept beside the indexes, and that no generation names any more."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack

from pydantic_settings import CliSuppress

from catalog import stored_hashes
from images import ImageStore, forget_urls
from index import IndexSettings, IndexStore, all_points, build_settings, open_stores
from ingest.batches import batched
from ingest.commands.parser import command_parser
from schemas import IndexMissing

GRACE_DAYS = 7
_PARTS = ("product.image", "product.images", "pictures")
_EPILOG = f"""\
Images that came from URLs or inside a catalog are kept in DATA_DIR/pictures, for all collections. One
goes when no generation of any of them names it, those to roll back to among them, and nobody has put
it there in the last {GRACE_DAYS} days. No job may run meanwhile.

The last line of stdout is one JSON object: {{"images": N, "bytes": N}}, what was removed.
"""


class TidySettings(IndexSettings):
    """The images are those of all collections."""

    collection: CliSuppress[str] = "products"


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("tidy", "Remove kept images that no generation names.", _EPILOG, TidySettings)
    parser.add_argument("--dry-run", action="store_true", help="Say what would be removed.")
    given = parser.parse_args(arguments)
    settings = build_settings(TidySettings, parser, given)
    kept = ImageStore(settings.data_dir / "pictures")
    with ExitStack() as held:
        stores = open_stores(settings)
        if not stores:
            raise IndexMissing(f"there is no index in {settings.data_dir} to say which images are needed")
        for store in stores:
            held.enter_context(store.lock())
        used = _used(stores)
        count, size = kept.remove_unused(used, time.time() - GRACE_DAYS * 86_400, dry_run=given.dry_run)
        if not given.dry_run:
            forget_urls(kept)
    done = "would be removed" if given.dry_run else "removed"
    print(f"{count:,} images of {size / 1e6:,.1f} MB {done}; {len(used):,} are named by an index", file=sys.stderr)
    print(json.dumps({"images": count, "bytes": size}))
    return 0


def _used(stores: Sequence[IndexStore]) -> set[str]:
    """The hashes of all images that a generation names. Raises StoreLensError where one cannot be read."""
    used: set[str] = set()
    for store in stores:
        for index in store.open_all():
            for batch in batched(all_points(index), 1000):
                for payload in index.payloads(batch, _PARTS).values():
                    used |= stored_hashes(payload)
    return used
