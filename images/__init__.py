"""Getting images from wherever they are, within bounds, and preparing them."""

from images.archives import Archive, split_location, using_archive
from images.brightness import Prints, least_left
from images.compression import DAMAGED, compression_of, compression_of_bytes, decompressed
from images.crops import WHOLE, WITH_CROPS, crops
from images.decode import IN_BROWSERS, browser_format, browser_picture, decode_picture
from images.decode_pool import Decoded, DecodePool, Waiting, decode_for_model
from images.fingerprint import (
    brightness_cells,
    differences,
    hash_bytes,
    is_copy,
    near_distance,
    perceptual_hash,
    sketch,
)
from images.limits import PictureLimits, locate_picture, picture_format, read_picture
from images.remote import fetch, filesystem, is_remote
from images.roots import PictureRoot, open_root
from images.settings import CommaSeparated, PictureSettings
from images.sources import Pictures, is_kept, open_pictures
from images.spool import spool, window
from images.store import PictureStore

__all__ = [
    "DAMAGED",
    "IN_BROWSERS",
    "WHOLE",
    "WITH_CROPS",
    "Archive",
    "CommaSeparated",
    "DecodePool",
    "Decoded",
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
    "compression_of",
    "compression_of_bytes",
    "crops",
    "decode_for_model",
    "decode_picture",
    "decompressed",
    "differences",
    "fetch",
    "filesystem",
    "hash_bytes",
    "is_copy",
    "is_kept",
    "is_remote",
    "least_left",
    "locate_picture",
    "near_distance",
    "open_pictures",
    "open_root",
    "perceptual_hash",
    "picture_format",
    "read_picture",
    "sketch",
    "split_location",
    "spool",
    "using_archive",
    "window",
]
