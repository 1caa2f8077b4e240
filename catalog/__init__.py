"""What a product is made of: its row, its pictures, its words, its hashes, its point."""

from catalog.archives import Archive, split_location, using_archive
from catalog.brightness import Prints, least_left
from catalog.codes import MAX_CODE, code_key, is_code_name, product_codes, run_key, written_codes
from catalog.compression import DAMAGED, compression_of, compression_of_bytes, decompressed
from catalog.crops import WHOLE, WITH_CROPS, crops
from catalog.decode import IN_BROWSERS, browser_format, browser_picture, decode_picture
from catalog.decode_pool import Decoded, DecodePool, Waiting, decode_for_model
from catalog.fields import STANDARD_FIELDS
from catalog.hashes import (
    OPAQUE,
    Kept,
    KeptPicture,
    PartHashes,
    hash_bytes,
    hash_json,
    hash_lexical,
    hash_row,
    hash_words,
)
from catalog.likeness import brightness_cells, differences, is_copy, near_distance, perceptual_hash, sketch
from catalog.open_pictures import Pictures, is_kept, kept_hash, open_pictures
from catalog.picture_store import PictureStore
from catalog.pictures import (
    PictureLimits,
    locate_picture,
    picture_format,
    read_picture,
)
from catalog.point import part_hashes, payload, picture_sources, point_id, points_of, shown_product, title_key
from catalog.remote import fetch, filesystem, is_remote
from catalog.roots import PictureRoot, open_root
from catalog.rows import (
    MAX_COLUMNS,
    ParsedRow,
    is_attribute_name,
    older_id,
    product_from_row,
    readable_id,
    with_clean_names,
)
from catalog.settings import CommaSeparated, PictureSettings
from catalog.texts import TEXT_VERSION, details_text, subject_text, text_parts, title_text, words
from catalog.windows import spool, window

__all__ = [
    "DAMAGED",
    "IN_BROWSERS",
    "MAX_CODE",
    "MAX_COLUMNS",
    "OPAQUE",
    "STANDARD_FIELDS",
    "TEXT_VERSION",
    "WHOLE",
    "WITH_CROPS",
    "Archive",
    "CommaSeparated",
    "DecodePool",
    "Decoded",
    "Kept",
    "KeptPicture",
    "ParsedRow",
    "PartHashes",
    "PictureLimits",
    "PictureRoot",
    "PictureSettings",
    "PictureStore",
    "Pictures",
    "Prints",
    "Waiting",
    "brightness_cells",
    "browser_format",
    "browser_picture",
    "code_key",
    "compression_of",
    "compression_of_bytes",
    "crops",
    "decode_for_model",
    "decode_picture",
    "decompressed",
    "details_text",
    "differences",
    "fetch",
    "filesystem",
    "hash_bytes",
    "hash_json",
    "hash_lexical",
    "hash_row",
    "hash_words",
    "is_attribute_name",
    "is_code_name",
    "is_copy",
    "is_kept",
    "is_remote",
    "kept_hash",
    "least_left",
    "locate_picture",
    "near_distance",
    "older_id",
    "open_pictures",
    "open_root",
    "part_hashes",
    "payload",
    "perceptual_hash",
    "picture_format",
    "picture_sources",
    "point_id",
    "points_of",
    "product_codes",
    "product_from_row",
    "read_picture",
    "readable_id",
    "run_key",
    "shown_product",
    "sketch",
    "split_location",
    "spool",
    "subject_text",
    "text_parts",
    "title_key",
    "title_text",
    "using_archive",
    "window",
    "with_clean_names",
    "words",
    "written_codes",
]
