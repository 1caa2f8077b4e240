"""What a product is made of: its row, its pictures, its words, its hashes, its point."""

from catalog.archives import Archive, split_location, using_archive
from catalog.brightness import Prints, least_left
from catalog.compression import DAMAGED, compression_of, compression_of_bytes, decompressed
from catalog.crops import WHOLE, WITH_CROPS, crops
from catalog.fields import STANDARD_FIELDS, filter_values, kinds_of
from catalog.hashes import Kept, KeptPicture, PartHashes, hash_bytes, hash_json, hash_row, hash_words
from catalog.likeness import brightness_cells, differences, is_copy, near_distance, perceptual_hash, sketch
from catalog.open_pictures import Pictures, is_kept, kept_hash, open_pictures
from catalog.picture_store import PictureStore
from catalog.pictures import (
    PictureLimits,
    browser_picture,
    decode_picture,
    locate_picture,
    picture_format,
    read_picture,
)
from catalog.point import part_hashes, payload, picture_sources, point_id, title_key
from catalog.remote import fetch, filesystem, is_remote
from catalog.roots import PictureRoot, open_root
from catalog.rows import ParsedRow, product_from_row, readable_id
from catalog.settings import PictureSettings
from catalog.texts import TEXT_VERSION, details_text, subject_text, text_parts, title_text, words
from catalog.windows import spool, window

__all__ = [
    "DAMAGED",
    "STANDARD_FIELDS",
    "TEXT_VERSION",
    "WHOLE",
    "WITH_CROPS",
    "Archive",
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
    "brightness_cells",
    "browser_picture",
    "compression_of",
    "compression_of_bytes",
    "crops",
    "decode_picture",
    "decompressed",
    "details_text",
    "differences",
    "fetch",
    "filesystem",
    "filter_values",
    "hash_bytes",
    "hash_json",
    "hash_row",
    "hash_words",
    "is_copy",
    "is_kept",
    "is_remote",
    "kept_hash",
    "kinds_of",
    "least_left",
    "locate_picture",
    "near_distance",
    "open_pictures",
    "open_root",
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
    "split_location",
    "spool",
    "subject_text",
    "text_parts",
    "title_key",
    "title_text",
    "using_archive",
    "window",
    "words",
]
