"""Where vectors live: embedded Qdrant Edge, or a Qdrant server. The only package that knows either."""

from index.arguments import CommandParser, add_settings, build_settings, settings_parser
from index.documents import Documents
from index.lexical import stem_token
from index.paths import CODE_PARTS, CODES, DECISION, PREDICTED, SUBJECT_TERMS, TERMS, TITLE, TITLE_KEY
from index.protocols import (
    DENSE,
    Alternative,
    Candidate,
    CatalogIndex,
    DenseName,
    IndexBuild,
    IndexStore,
    Latest,
    Leg,
    Names,
    Point,
    Stored,
    Term,
    VectorName,
    VocabularyWord,
    all_points,
)
from index.sample import product_vectors, sample_images, sample_products
from index.server.deadline import deadline
from index.settings import IndexSettings
from index.store import open_store, open_stores
from index.tokenizer import Piece, count_words, located, pieces, term_sequence, terms
from index.writer import indexed_terms

__all__ = [
    "CODES",
    "CODE_PARTS",
    "DECISION",
    "DENSE",
    "PREDICTED",
    "SUBJECT_TERMS",
    "TERMS",
    "TITLE",
    "TITLE_KEY",
    "Alternative",
    "Candidate",
    "CatalogIndex",
    "CommandParser",
    "DenseName",
    "Documents",
    "IndexBuild",
    "IndexSettings",
    "IndexStore",
    "Latest",
    "Leg",
    "Names",
    "Piece",
    "Point",
    "Stored",
    "Term",
    "VectorName",
    "VocabularyWord",
    "add_settings",
    "all_points",
    "build_settings",
    "count_words",
    "deadline",
    "indexed_terms",
    "located",
    "open_store",
    "open_stores",
    "pieces",
    "product_vectors",
    "sample_images",
    "sample_products",
    "settings_parser",
    "stem_token",
    "term_sequence",
    "terms",
]
