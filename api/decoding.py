"""What decoding the images of callers may take: processes of their own, out of the way of everybody else."""

from __future__ import annotations

import os

from embedding import keep_freed_memory
from images import DecodePool, ImageLimits, QueueLimits

SECONDS, CPU_SECONDS = 60.0, 10.0
"""For one image, by the clock and of a processor: the slowest kind of 50 megapixels takes three of these."""

WAITING = QueueLimits(quick=0.3, most=24, timeout=10.0)
"""Together with the images that are being decoded they hold fewer than the 40 threads that searches need as well."""

NICENESS = 5
"""A search that has its vector does not wait for images of others."""


def decode_pool(limits: ImageLimits) -> DecodePool:
    workers = min(max(os.cpu_count() or 1, 2), 4)
    return DecodePool(limits, workers, SECONDS, keep_freed_memory, WAITING, CPU_SECONDS, NICENESS)
