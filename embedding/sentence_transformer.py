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

from embedding.acceleration.class_token import pool_early
from embedding.acceleration.packed import can_pack, pack
from embedding.acceleration.pixel_embeddings import PixelEmbeddings
from embedding.description import OWN_PREPROCESSING, Description, describe
from embedding.encoder import Preparer
from embedding.fingerprint import fingerprint_directory
from embedding.image_transform import whole_image
from embedding.precision import choose_precision, dtype_of
from embedding.self_check import check_encoder
from embedding.text_layout import TextLayout
from images.arrays import Pixels, Vectors, check_vectors
from schemas import EmbeddingSpec, ModelError, Precision

_TEXT_BATCH = 32
_IMAGE_BATCH = 32
"""Measured: of ViT-B/32 no slower than any of 8 to 64, in float32 and in bfloat16."""


def load_sentence_transformer(model: str, directory: Path, precision: Precision | None = None) -> TransformerEncoder:
    """The encoder of a model directory; ``model`` is the name it was asked for by.

    Code that comes with a model is never run.

    Raises:
        ModelError: the model does not load, does not embed both texts and images, or what it makes of one depends on
            those beside it.
    """
    precision = choose_precision(precision)
    description = describe(directory, model)
    loaded = load_model(directory, description)
    missing = {"text", "image"} - set(loaded.modalities)
    if missing:
        raise ModelError(f"model {model} does not embed {' or '.join(sorted(missing))}s; choose an image-text model")
    on_processor = loaded.device.type == "cpu"
    if description and description.family == "clip" and precision == "bfloat16" and on_processor and can_pack():
        pack(loaded[0].model)
    loaded = loaded.to(dtype_of(precision))
    description = description or _described(loaded, model, directory)
    encoder = TransformerEncoder(loaded, description, precision)
    check_encoder(encoder)
    return encoder


def load_model(directory: Path, description: Description | None) -> SentenceTransformer:
    """In float32, or as it was saved; ``description`` is what the directory says of itself.

    Described as CLIP it takes pixels as its preparer makes them: ``(n, height, width, 3) uint8``.

    Raises:
        ModelError: it does not load.
    """
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        loaded = SentenceTransformer(str(directory), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # whatever a stranger's model raises: the person gets one sentence
        raise ModelError(f"the model in {directory} does not load: {error}") from error
    network: Any = loaded[0]
    if description:
        for method in network.modality_config.values():
            # Saved with transformers 4, where this was the vectors themselves, and not a structure that holds them.
            method["method_output_name"] = method["method_output_name"] or "pooler_output"
    if description and description.family == "clip" and description.transform:
        clip = network.model
        pool_early(clip)
        try:
            clip.vision_model.embeddings = PixelEmbeddings(clip.vision_model.embeddings, description.transform)
        except ValueError as error:
            raise ModelError(f"the image network of the model in {directory} does not load: {error}") from error
    return loaded


class TransformerEncoder:
    """An ``Encoder`` over a ``SentenceTransformer`` with the modalities text and image.

    Vectors equal those of plain ``SentenceTransformer.encode(normalize_embeddings=True)``, except for
    texts beyond the window, which plain ``encode`` cuts: here they are split, embedded and averaged; and for those of
    SigLIP, which plain ``encode`` does not pad as the model was trained: see ``TextLayout``.
    """

    def __init__(self, model: SentenceTransformer, description: Description, precision: Precision) -> None:
        """
        Args:
            model: Of ``load_model`` or ``builtin``, in ``precision``; they take pixels as the preparer makes them,
                SigLIP and what is not described as their images' processor does.
        """
        self.model = model.eval()
        self._spec = description.spec.model_copy(update={"precision": precision})
        self._normalizes = description.family != "siglip"
        self._transform = description.transform
        self._texts = description.texts
        self._prompt = self._spec.prompts.get("text", "")
        if self._texts.turned:
            model.tokenizer.padding_side = "right"
        # Tokenizers keep their truncation as state, and two forward passes at once only share the same cores.
        self._lock = threading.Lock()

    @property
    def spec(self) -> EmbeddingSpec:
        return self._spec

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """``(n, dim) float32``, unit rows, in the order given; ``(0, dim)`` for no texts.

        A text beyond the window of ``spec.max_tokens`` is the average of its windows, weighted by their tokens.
        """
        prompted = self._texts.texts(self._prompt + text for text in texts)
        vectors = np.zeros((len(texts), self._spec.dimension), np.float32)
        with self._lock, torch.inference_mode():
            long = self._beyond_window(prompted)
            # Texts of a batch are padded to its longest: sorted, they hardly are.
            short = sorted(set(range(len(texts))).difference(long), key=lambda row: len(prompted[row]))
            for rows in _batches(short, _TEXT_BATCH):
                vectors[rows] = self._embed(self._text_features([prompted[row] for row in rows]))
            for rows in _batches(long, _TEXT_BATCH):
                vectors[rows] = self._embed_windows([prompted[row] for row in rows])
        check_vectors(vectors, (len(texts), self._spec.dimension), "what the model returned")
        return vectors

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """``(n, dim) float32``, unit rows, in the order given; images are RGB of any size."""
        return self.encode_prepared([self.prepare_image(image) for image in images])

    @property
    def preparer(self) -> Preparer:
        """The whole image where the model has a preprocessing of another form than CLIP's."""
        return self._transform.prepare if self._transform else whole_image

    def prepare_image(self, image: Image.Image) -> Pixels:
        """``(height, width, 3) uint8``, as ``preparer``."""
        return self.preparer(image)

    def encode_prepared(self, pixels: Sequence[Pixels]) -> Vectors:
        """``(n, dim) float32``, unit rows, of what ``prepare_image`` made, in the order given."""
        vectors = np.zeros((len(pixels), self._spec.dimension), np.float32)
        with self._lock, torch.inference_mode():
            for rows in _batches(range(len(pixels)), _IMAGE_BATCH):
                vectors[rows] = self._embed(self._image_features([pixels[row] for row in rows]))
        check_vectors(vectors, (len(pixels), self._spec.dimension), "what the model returned")
        return vectors

    def _image_features(self, pixels: Sequence[Pixels]) -> dict[str, Any]:
        if self._transform is None:
            return self.model.preprocess([Image.fromarray(image) for image in pixels])
        values = np.stack(pixels) if self._normalizes else self._transform.normalized(pixels)
        return {"pixel_values": torch.from_numpy(values), "modality": "image"}

    def _text_features(self, texts: list[str]) -> dict[str, Any]:
        """Of texts that are not beyond the window."""
        return self.model.preprocess(texts, processing_kwargs={"text": self._texts.padding()})

    def _embed(self, features: dict[str, Any]) -> Vectors:
        """``(n, dim) float32``, unit rows, of one batch of features."""
        embeddings = self.model(batch_to_device(features, self.model.device))["sentence_embedding"]
        vectors: Vectors = torch.nn.functional.normalize(embeddings.float(), dim=1).cpu().numpy()
        return vectors

    def _beyond_window(self, texts: Sequence[str]) -> list[int]:
        """The rows of texts with more tokens than the window."""
        if not texts:
            return []
        tokens = self.model.tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]
        return [row for row, ids in enumerate(tokens) if len(ids) > self._spec.max_tokens]

    def _embed_windows(self, texts: Sequence[str]) -> Vectors:
        """``(n, dim) float32``, unit rows: each text's windows averaged by their tokens."""
        windows = self._texts.cut(self.model.tokenizer, list(texts))
        sums = np.zeros((len(texts), self._spec.dimension), np.float32)
        for rows in _batches(range(len(windows.ids)), _TEXT_BATCH):
            ids = {"input_ids": [windows.ids[row] for row in rows]}
            features = self.model.tokenizer.pad(
                ids, padding="max_length", max_length=self._spec.max_tokens, return_tensors="pt"
            )
            vectors = self._embed({**features, "modality": "text"})
            np.add.at(sums, windows.text[rows], vectors * windows.tokens[rows, None])
        means: Vectors = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return means


def _batches(rows: Sequence[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(rows), size):
        yield list(rows[start : start + size])


def _described(model: SentenceTransformer, name: str, directory: Path) -> Description:
    """Of a loaded model that its directory alone does not describe."""
    tokenizer = getattr(model, "tokenizer", None)
    config: Any = getattr(model[0], "config", None)
    of_texts = config.get_text_config() if hasattr(config, "get_text_config") else config
    positions = getattr(of_texts, "max_position_embeddings", None)  # the library looks at the top of ``config`` alone
    if tokenizer is None or not (model.max_seq_length or positions):
        raise ModelError(f"model {name} does not say the length of its window")
    family = getattr(of_texts, "model_type", "")
    of_tokenizer = {"tokenizer_class": type(tokenizer).__name__, "padding_side": tokenizer.padding_side}
    texts = TextLayout.of(family, [model.max_seq_length, positions], of_tokenizer)
    try:
        # What the library says of it can be of another layer.
        dimension = int(model.encode("a", show_progress_bar=False).shape[-1])
    except Exception as error:
        raise ModelError(f"model {name} loads, but does not embed a text: {error}") from error
    prompt = model.prompts.get(model.default_prompt_name or "", "")
    spec = EmbeddingSpec(
        model=name,
        fingerprint=fingerprint_directory(directory, texts.recipe),
        dimension=dimension,
        max_tokens=texts.window,
        preprocessing=OWN_PREPROCESSING,
        prompts={"text": prompt} if prompt else {},
    )
    return Description(family, spec, texts, transform=None)
