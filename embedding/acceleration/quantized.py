"""CLIP's image network in int8: exported and quantized once, kept in a file, run by ONNX Runtime."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from embedding.description import Description
from embedding.encoder import Encoder, Preparer
from images.arrays import Pixels, Vectors, check_vectors
from images.child_process import Child, ChildDied
from schemas import EmbeddingSpec, ModelError, first_line, replace_file

RECIPE = 2
"""Raised whenever other numbers are made of the same weights: what is on disk is then made anew."""
_BATCH = 16
_UNUSED_SECONDS = 30 * 86_400.0
_UNFINISHED_SECONDS = 3_600.0
"""After which a file that is still being written belongs to nobody."""
_NAMED = re.compile(r"[0-9a-f]{32}-(?P<recipe>\d+)\.(?P<ending>int8|\d+)")
_DIGEST = hashlib.sha256().digest_size


class QuantizedEncoder:
    """An ``Encoder`` that leaves texts to another one and embeds images in int8."""

    def __init__(self, texts: Encoder, network: bytes) -> None:
        """
        Args:
            texts: The same model in another precision.
            network: Of ``quantized_network``.

        Raises:
            ModelError: ONNX Runtime does not run it.
        """
        self._texts = texts
        self._spec = texts.spec.model_copy(update={"precision": "int8"})
        self._session = _session(network)

    @property
    def spec(self) -> EmbeddingSpec:
        return self._spec

    @property
    def preparer(self) -> Preparer:
        return self._texts.preparer

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """``(n, dim) float32``, unit rows, in the order given; not in int8."""
        return self._texts.encode_texts(texts)

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """``(n, dim) float32``, unit rows, in the order given; images are RGB of any size."""
        return self.encode_prepared([self.prepare_image(image) for image in images])

    def prepare_image(self, image: Image.Image) -> Pixels:
        """``(height, width, 3) uint8``, as ``preparer``."""
        return self.preparer(image)

    def encode_prepared(self, pixels: Sequence[Pixels]) -> Vectors:
        """``(n, dim) float32``, unit rows, of what ``prepare_image`` made, in the order given."""
        vectors = np.zeros((len(pixels), self._spec.dimension), np.float32)
        for start in range(0, len(pixels), _BATCH):
            batch = np.stack(pixels[start : start + _BATCH])
            vectors[start : start + _BATCH] = self._session.run(None, {"pixels": batch})[0]
        with np.errstate(divide="ignore", invalid="ignore"):  # the check says it of the row
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        check_vectors(vectors, (len(pixels), self._spec.dimension), "what the model returned")
        return vectors


def quantized_network(directory: Path, description: Description, cache: Path) -> bytes:
    """The image network of a model as ONNX with int8 weights: pixels ``(n, h, w, 3) uint8`` -> ``(n, dim) float32``.

    Of the folder ``cache`` where an earlier call has left it there whole; made now otherwise, in a process of its own
    that gives its memory back: half a minute and 2 GB for ViT-B/32.

    Raises:
        ModelError: it cannot be made; the message says why.
    """
    path = cache / f"{description.spec.fingerprint[:32]}-{RECIPE}.int8"
    kept = read_network(path)
    if kept is not None:
        with contextlib.suppress(OSError):
            os.utime(path)
        return kept
    network = _made(directory, description)
    with contextlib.suppress(OSError):  # a full or read-only disk: it is made again next time
        write_network(path, network)
        _remove_old(cache)
    return network


def _remove_old(cache: Path) -> None:
    """Networks of other recipes, those of models that were not used for a month, and what killed jobs left."""
    for path in cache.iterdir():
        name = _NAMED.fullmatch(path.name)
        if name is None:
            continue  # somebody else's
        of_now = name["recipe"] == str(RECIPE) or name["ending"] != "int8"
        unused_seconds = _UNUSED_SECONDS if name["ending"] == "int8" else _UNFINISHED_SECONDS
        if not of_now or path.stat().st_mtime < time.time() - unused_seconds:
            path.unlink(missing_ok=True)


def _made(directory: Path, description: Description) -> bytes:
    from embedding.acceleration.quantized_export import export_int8

    child = Child("int8", get_context("spawn"))
    try:
        child.start()
        child.begin(partial(export_int8, directory, description))
        child.wait()
        made: bytes = child.result()
    except ChildDied as error:
        raise ModelError("the process that makes the int8 network died: it may need more memory") from error
    finally:
        child.end()
    return made


def _session(network: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    # Threads that spin while they wait take the cores from those that decode: 24 images a second instead of 34.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"ONNX Runtime does not run the int8 network: {first_line(error)}") from error


def read_network(path: Path) -> bytes | None:
    """What ``write_network`` wrote, or None where it is not there or not whole."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, network = content[:_DIGEST], content[_DIGEST:]
    return network if hashlib.sha256(network).digest() == digest else None


def write_network(path: Path, network: bytes) -> None:
    """In one step, so that two jobs may do it at once and a killed one leaves nothing half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = hashlib.sha256(network).digest() + network
    replace_file(path, content, aside=path.with_suffix(f".{os.getpid()}"), durable=False)
