"""Images with labels: read, embedded, and parted so that no copy of an image is on both sides."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from embedding import Encoder, Pixels
from images import (
    ImageLimits,
    decode_for_model,
    differences,
    fingerprint_cells,
    hash_bytes,
    is_copy,
    near_distance,
    read_image,
)
from images.arrays import Floats, Vectors
from schemas import ConfigurationError, ImageError, clean_line

log = logging.getLogger(__name__)

_BATCH = 32
_SAMPLE = 2_000


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Images that could be used, row by row: ``rows`` of the file, ``vectors`` ``(n, dim) float32``, unit rows, hashes
    of their bytes, and ``clusters`` ``(n,)``, one number for all copies of an image."""

    rows: list[dict[str, Any]]
    vectors: Vectors
    hashes: list[str]
    clusters: NDArray[np.int32]
    unusable: int


def read_rows(path: Path, check: Callable[[dict[str, Any]], str | None]) -> list[dict[str, Any]]:
    """The rows of a JSONL file with an `image` each.

    Args:
        check: Says what is wrong with a row, if anything.

    Raises:
        ConfigurationError: the file is missing, empty, or a line is no such row.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read the labelled images in {path}: {error}") from error
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ConfigurationError(f"{path}, line {number}: {error.msg}") from error
        if not isinstance(row, dict) or not isinstance(row.get("image"), str):
            raise ConfigurationError(f'{path}, line {number}: it needs {{"image": path, ..}}')
        if wrong := check(row):
            raise ConfigurationError(f"{path}, line {number}: {wrong}")
        rows.append(row)
    if not rows:
        raise ConfigurationError(f"{path} has no labelled images")
    return rows


def read_labelled(path: Path) -> list[dict[str, Any]]:
    """Rows that have a `label` as well, as one line. Raises ConfigurationError as ``read_rows`` does."""
    rows = read_rows(path, _unlabelled)
    return [row | {"label": clean_line(row["label"])} for row in rows]


def _unlabelled(row: dict[str, Any]) -> str | None:
    label = row.get("label")
    return None if isinstance(label, str) and clean_line(label) else "it needs a label"


def embed(rows: Sequence[dict[str, Any]], folder: Path, encoder: Encoder) -> LabelledImages:
    """Embed the images of some rows, their paths relative to a folder. Those that cannot be used are left out, said on
    stderr, and counted.

    Raises:
        ConfigurationError: none can be used.
    """
    used: list[dict[str, Any]] = []
    vectors: list[Vectors] = []
    hashes: list[str] = []
    fingerprints: list[Floats | None] = []
    read = iter(tqdm(rows, unit="image", desc="embed", disable=None))
    while batch := list(islice(_decoded(read, folder, encoder), _BATCH)):
        vectors.append(encoder.encode_prepared([pixels for _, _, _, pixels in batch]))
        for row, hash, phash, _ in batch:
            used.append(row)
            hashes.append(hash)
            fingerprints.append(fingerprint_cells(phash))
    if not used:
        raise ConfigurationError("none of the labelled images can be used")
    stacked = np.concatenate(vectors)
    return LabelledImages(used, stacked, hashes, _clusters(stacked, hashes, fingerprints), len(rows) - len(used))


def _decoded(
    rows: Iterator[dict[str, Any]], folder: Path, encoder: Encoder
) -> Iterator[tuple[dict[str, Any], str, str, Pixels]]:
    limits = ImageLimits()
    for row in rows:
        try:
            data = read_image(folder / row["image"], limits)
            decoded = decode_for_model(data, limits, encoder.preparer)
        except ImageError as error:
            log.warning("%s is left out: %s", row["image"], error.message)
            continue
        yield row, hash_bytes(data), decoded.phash, decoded.pixels[0]


def _clusters(vectors: Vectors, hashes: Sequence[str], fingerprints: Sequence[Floats | None]) -> NDArray[np.int32]:
    """Copies of an image, and copies of these, have one number."""
    first: dict[str, int] = {}
    pairs = [(at, first.setdefault(hash, at)) for at, hash in enumerate(hashes)]
    some = vectors[:_SAMPLE]
    near = near_distance(some, [None] * len(some))
    cells = np.stack([np.zeros((3, 16, 16), np.float32) if one is None else one for one in fingerprints])
    for at, vector in enumerate(vectors[:-1]):
        cosines = vectors[at + 1 :] @ vector
        candidates = at + 1 + np.flatnonzero(1.0 - cosines <= 2.0 * near)
        if fingerprints[at] is None or not len(candidates):
            continue
        for other, difference in zip(candidates.tolist(), differences(cells[at], cells[candidates]), strict=True):
            if fingerprints[other] is not None and is_copy(difference, cosines[other - at - 1], near):
                pairs.append((at, other))
    return linked(pairs, len(vectors))


def linked(pairs: Sequence[tuple[int, int]], size: int) -> NDArray[np.int32]:
    """A number for each of so many things, the same for those that pairs link, ``(size,)``."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    one, other = np.array(pairs, np.intp).reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs)), (one, other)), shape=(size, size))
    numbers: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return numbers


def halves(images: LabelledImages, labels: Sequence[str]) -> NDArray[np.bool_]:
    """Which images are in the second half: whole clusters, each label shared out evenly, whatever the file's order."""
    members: dict[int, list[int]] = defaultdict(list)
    for at, cluster in enumerate(images.clusters.tolist()):
        members[cluster].append(at)
    by_label: dict[str, list[list[int]]] = defaultdict(list)
    for cluster in members.values():
        leader = min(cluster, key=lambda at: images.hashes[at])
        by_label[labels[leader]].append(sorted(cluster, key=lambda at: images.hashes[at]))
    second = np.zeros(len(labels), np.bool_)
    sizes = [0, 0]
    for label in sorted(by_label):
        of_label = [0, 0]
        for cluster in sorted(by_label[label], key=lambda cluster: (-len(cluster), images.hashes[cluster[0]])):
            side = 1 if (of_label[1], sizes[1]) < (of_label[0], sizes[0]) else 0
            second[cluster] = side == 1
            of_label[side] += len(cluster)
            sizes[side] += len(cluster)
    return second
