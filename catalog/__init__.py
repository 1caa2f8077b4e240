"""What a product is: its row, its fields, words and numbers, its hashes, its payload."""

from catalog.attributes import MAX_COLUMNS, is_attribute_name
from catalog.codes import MAX_CODE, code_key, is_code_name, product_codes, run_key, written_codes
from catalog.fields import STANDARD_FIELDS
from catalog.hashes import (
    OPAQUE,
    StoredImage,
    StoredState,
    hash_json,
    hash_lexical,
    hash_row,
    hash_words,
)
from catalog.payload import (
    image_sources,
    older_point,
    payload,
    point_id,
    points_of,
    shown_product,
    stored_hashes,
    stored_image_hash,
    stored_state,
    title_key,
)
from catalog.rows import ParsedRow, older_id, product_from_row, readable_id
from catalog.texts import TEXT_VERSION, details_text, subject_text, subject_words, text_parts, title_text, words
from catalog.values import with_clean_names

__all__ = [
    "MAX_CODE",
    "MAX_COLUMNS",
    "OPAQUE",
    "STANDARD_FIELDS",
    "TEXT_VERSION",
    "ParsedRow",
    "StoredImage",
    "StoredState",
    "code_key",
    "details_text",
    "hash_json",
    "hash_lexical",
    "hash_row",
    "hash_words",
    "image_sources",
    "is_attribute_name",
    "is_code_name",
    "older_id",
    "older_point",
    "payload",
    "point_id",
    "points_of",
    "product_codes",
    "product_from_row",
    "readable_id",
    "run_key",
    "shown_product",
    "stored_hashes",
    "stored_image_hash",
    "stored_state",
    "subject_text",
    "subject_words",
    "text_parts",
    "title_key",
    "title_text",
    "with_clean_names",
    "words",
    "written_codes",
]
