"""Getting images from wherever they are, within bounds, and preparing them."""

from images.archives import Archive, split_location, using_archive
from images.brightness import Prints, least_left
from images.compression import DAMAGED, compression_of, compression_of_bytes, decompressed
from images.crops import WHOLE, WITH_CROPS, crops
from images.decode import IN_BROWSERS, browser_format, browser_image, decode_image
from images.decode_pool import Decoded, DecodePool, QueueLimits, decode_for_model
from images.fetch.cache import forget_urls
from images.fingerprint import (
    brightness_cells,
    differences,
    fingerprint_cells,
    hash_bytes,
    image_fingerprint,
    is_copy,
    near_distance,
)
from images.limits import ImageLimits, image_format, locate_image, read_image
from images.remote import download, filesystem, is_remote
from images.roots import ImageRoot, open_root
from images.settings import CommaSeparated, ImageSettings
from images.sources import Images, is_kept, open_images
from images.spool import file_slice, spool
from images.store import ImageStore
from images.thumbnails import MEDIA_TYPE, Thumbnails

__all__ = [
    "DAMAGED",
    "IN_BROWSERS",
    "MEDIA_TYPE",
    "WHOLE",
    "WITH_CROPS",
    "Archive",
    "CommaSeparated",
    "DecodePool",
    "Decoded",
    "ImageLimits",
    "ImageRoot",
    "ImageSettings",
    "ImageStore",
    "Images",
    "Prints",
    "QueueLimits",
    "Thumbnails",
    "brightness_cells",
    "browser_format",
    "browser_image",
    "compression_of",
    "compression_of_bytes",
    "crops",
    "decode_for_model",
    "decode_image",
    "decompressed",
    "differences",
    "download",
    "file_slice",
    "filesystem",
    "fingerprint_cells",
    "forget_urls",
    "hash_bytes",
    "image_fingerprint",
    "image_format",
    "is_copy",
    "is_kept",
    "is_remote",
    "least_left",
    "locate_image",
    "near_distance",
    "open_images",
    "open_root",
    "read_image",
    "split_location",
    "spool",
    "using_archive",
]
