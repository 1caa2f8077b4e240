"""What a product is made of: its row, its pictures, its words, its hashes, its point."""

from catalog.fields import STANDARD_FIELDS, filter_values, kinds_of
from catalog.hashes import PartHashes, hash_bytes, hash_json, hash_words
from catalog.likeness import differences, is_copy, near_distance, perceptual_hash, sketch
from catalog.pictures import (
    PictureLimits,
    browser_picture,
    decode_picture,
    locate_picture,
    picture_format,
    read_picture,
)
from catalog.point import part_hashes, payload, picture_sources, point_id, title_key
from catalog.rows import ParsedRow, product_from_row, readable_id
from catalog.texts import TEXT_VERSION, details_text, subject_text, text_parts, title_text, words

__all__ = [
    "STANDARD_FIELDS",
    "TEXT_VERSION",
    "ParsedRow",
    "PartHashes",
    "PictureLimits",
    "browser_picture",
    "decode_picture",
    "details_text",
    "differences",
    "filter_values",
    "hash_bytes",
    "hash_json",
    "hash_words",
    "is_copy",
    "kinds_of",
    "locate_picture",
    "near_distance",
    "part_hashes",
    "payload",
    "perceptual_hash",
    "picture_format",
    "picture_sources",
    "point_id",
    "product_from_row",
    "read_picture",
    "readable_id",
    "sketch",
    "subject_text",
    "text_parts",
    "title_key",
    "title_text",
    "words",
]
