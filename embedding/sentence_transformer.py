"""Any sentence-transformers image-text model as an ``Encoder``."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import batch_to_device
from transformers.utils import logging as transformers_logging

from embedding.class_token import pool_early
from embedding.description import Description, describe
from embedding.encoder import Pixels, Preparer, Vectors, check_vectors
from embedding.fingerprint import fingerprint_directory
from embedding.image_transform import ImageTransform, whole_picture
from embedding.packed import can_pack, pack
from embedding.pixel_embeddings import PixelEmbeddings
from embedding.precision import choose_precision, dtype_of
from schemas import EmbeddingSpec, ModelError, Precision

_TEXT_BATCH = 32
_IMAGE_BATCH = 32
"""Measured: of ViT-B/32 no slower than any of 8 to 64, in float32 and in bfloat16."""


def load_sentence_transformer(model: str, directory: Path, precision: Precision | None = None) -> TransformerEncoder:
    """The encoder of a model directory; ``model`` is the name it was asked for by.

    Code that comes with a model is never run.

    Raises:
        ModelError: the model does not load, or does not embed both texts and images.
    """
    precision = choose_precision(precision)
    description = describe(directory, model)
    loaded = load_model(directory, description)
    missing = {"text", "image"} - set(loaded.modalities)
    if missing:
        raise ModelError(f"model {model} does not embed {' or '.join(sorted(missing))}s; choose an image-text model")
    if description and precision == "bfloat16" and loaded.device.type == "cpu" and can_pack():
        pack(loaded[0].model)
    loaded = loaded.to(dtype_of(precision))
    spec = description.spec if description else _spec_of(loaded, model, directory)
    transform = description.transform if description else None
    return TransformerEncoder(loaded, spec.model_copy(update={"precision": precision}), transform)


def load_model(directory: Path, description: Description | None) -> SentenceTransformer:
    """In float32, or as it was saved; ``description`` is what the directory says of itself.

    A described model is CLIP, and takes pixels as its preparer makes them: ``(n, height, width, 3) uint8``.

    Raises:
        ModelError: it does not load.
    """
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        loaded = SentenceTransformer(str(directory), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # whatever a stranger's model raises: the person gets one sentence
        raise ModelError(f"the model in {directory} does not load: {error}") from error
    if description:
        clip: Any = loaded[0].model
        pool_early(clip)
        try:
            clip.vision_model.embeddings = PixelEmbeddings(clip.vision_model.embeddings, description.transform)
        except ValueError as error:
            raise ModelError(f"the picture network of the model in {directory} does not load: {error}") from error
    return loaded


class TransformerEncoder:
    """An ``Encoder`` over a ``SentenceTransformer`` with the modalities text and image.

    Vectors equal those of plain ``SentenceTransformer.encode(normalize_embeddings=True)``, except for
    texts beyond the window, which plain ``encode`` cuts: here they are split, embedded and averaged.
    """

    def __init__(self, model: SentenceTransformer, spec: EmbeddingSpec, transform: ImageTransform | None) -> None:
        """
        Args:
            transform: How a picture is prepared for a model that takes ``(n, height, width, 3) uint8``; None leaves all
                of it to the model's own ``preprocess``.
        """
        self._model = model.eval()
        self._spec = spec
        self._transform = transform
        self._prompt = spec.prompts.get("text", "")
        # Tokenizers keep their truncation as state, and two forward passes at once only share the same cores.
        self._lock = threading.Lock()

    @property
    def spec(self) -> EmbeddingSpec:
        return self._spec

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """``(n, dim) float32``, unit rows, in the order given; ``(0, dim)`` for no texts.

        A text beyond the window of ``spec.max_tokens`` is the average of its windows, weighted by their tokens.
        """
        prompted = [self._prompt + text for text in texts]
        vectors = np.zeros((len(texts), self._spec.dimension), np.float32)
        with self._lock, torch.inference_mode():
            long = self._beyond_window(prompted)
            # Texts of a batch are padded to its longest: sorted, they hardly are.
            short = sorted(set(range(len(texts))).difference(long), key=lambda row: len(prompted[row]))
            for rows in _batches(short, _TEXT_BATCH):
                vectors[rows] = self._embed(self._model.preprocess([prompted[row] for row in rows]))
            for rows in _batches(long, _TEXT_BATCH):
                vectors[rows] = self._embed_windows([prompted[row] for row in rows])
        return check_vectors(vectors, len(texts), self._spec.dimension)

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """``(n, dim) float32``, unit rows, in the order given; images are RGB of any size."""
        return self.encode_prepared([self.prepare_image(image) for image in images])

    @property
    def preparer(self) -> Preparer:
        """The whole picture where the model has a preprocessing of another form than CLIP's."""
        return self._transform.prepare if self._transform else whole_picture

    def prepare_image(self, image: Image.Image) -> Pixels:
        """``(height, width, 3) uint8``, as ``preparer``."""
        return self.preparer(image)

    def encode_prepared(self, pixels: Sequence[Pixels]) -> Vectors:
        """``(n, dim) float32``, unit rows, of what ``prepare_image`` made, in the order given."""
        vectors = np.zeros((len(pixels), self._spec.dimension), np.float32)
        with self._lock, torch.inference_mode():
            for rows in _batches(range(len(pixels)), _IMAGE_BATCH):
                vectors[rows] = self._embed(self._image_features([pixels[row] for row in rows]))
        return check_vectors(vectors, len(pixels), self._spec.dimension)

    def _image_features(self, pixels: Sequence[Pixels]) -> dict[str, Any]:
        if self._transform is None:
            return self._model.preprocess([Image.fromarray(picture) for picture in pixels])
        return {"pixel_values": torch.from_numpy(np.stack(pixels)), "modality": "image"}

    def _embed(self, features: dict[str, Any]) -> Vectors:
        """``(n, dim) float32``, unit rows, of one batch of features."""
        embeddings = self._model(batch_to_device(features, self._model.device))["sentence_embedding"]
        vectors: Vectors = torch.nn.functional.normalize(embeddings.float(), dim=1).cpu().numpy()
        return vectors

    def _beyond_window(self, texts: Sequence[str]) -> list[int]:
        """The rows of texts with more tokens than the window."""
        if not texts:
            return []
        tokens = self._model.tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]
        return [row for row, ids in enumerate(tokens) if len(ids) > self._spec.max_tokens]

    def _embed_windows(self, texts: Sequence[str]) -> Vectors:
        """``(n, dim) float32``, unit rows: each text's windows averaged by their tokens."""
        windows = self._model.tokenizer(
            list(texts),
            truncation=True,
            max_length=self._spec.max_tokens,
            padding="max_length",
            return_overflowing_tokens=True,
            return_special_tokens_mask=True,
            return_tensors="pt",
        )
        text_of = windows.pop("overflow_to_sample_mapping").numpy()
        tokens = (1 - windows.pop("special_tokens_mask")).sum(1).clamp(min=1).numpy().astype(np.float32)
        sums = np.zeros((len(texts), self._spec.dimension), np.float32)
        for rows in _batches(range(len(text_of)), _TEXT_BATCH):
            features = {name: values[rows] for name, values in windows.items()}
            np.add.at(sums, text_of[rows], self._embed({**features, "modality": "text"}) * tokens[rows, None])
        vectors: Vectors = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return vectors


def _batches(rows: Sequence[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(rows), size):
        yield list(rows[start : start + size])


def _spec_of(model: SentenceTransformer, name: str, directory: Path) -> EmbeddingSpec:
    """Of a loaded model that its directory alone does not describe."""
    dimension, window = model.get_embedding_dimension(), model.max_seq_length
    if not dimension or not window or not hasattr(model, "tokenizer"):
        raise ModelError(f"model {name} does not say its dimension and the length of its window")
    prompt = model.prompts.get(model.default_prompt_name or "", "")
    return EmbeddingSpec(
        model=name,
        fingerprint=fingerprint_directory(directory),
        dimension=dimension,
        max_tokens=window,
        preprocessing="the model's own",
        prompts={"text": prompt} if prompt else {},
    )
