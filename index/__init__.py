"""Where vectors live: embedded Qdrant Edge, or a Qdrant server. The only room that knows either."""

from index.arguments import add_index_options, build_settings, describe, index_parser
from index.catalog_index import (
    DENSE,
    Candidate,
    CatalogIndex,
    DenseName,
    IndexBuild,
    IndexStore,
    Latest,
    Leg,
    Point,
    Stored,
    Term,
    VectorName,
    all_points,
)
from index.deadline import deadline
from index.paths import PICTURE_HASH
from index.sample import sample_pictures
from index.settings import IndexSettings
from index.store import open_store

__all__ = [
    "DENSE",
    "PICTURE_HASH",
    "Candidate",
    "CatalogIndex",
    "DenseName",
    "IndexBuild",
    "IndexSettings",
    "IndexStore",
    "Latest",
    "Leg",
    "Point",
    "Stored",
    "Term",
    "VectorName",
    "add_index_options",
    "all_points",
    "build_settings",
    "deadline",
    "describe",
    "index_parser",
    "open_store",
    "sample_pictures",
]
