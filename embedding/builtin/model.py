"""The offline model as a sentence-transformers module. What it computes is described in ``embedding.builtin``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from PIL import Image
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import InputModule
from torch.nn.functional import normalize, pad
from transformers import AutoTokenizer, BertModel
from transformers.utils import logging as transformers_logging

from embedding.builtin import (
    COLORS,
    COLORS_WEIGHT,
    DIMENSION,
    MAX_TOKENS,
    NAME,
    PROBABILITY_POWER,
    SEMANTIC_WEIGHT,
    SHADES,
    SHADES_WEIGHT,
    TEXT_COLORS_WEIGHT,
    TRANSFORM,
    VISUAL,
    VISUAL_WEIGHT,
    classifier_weights,
    minilm_directory,
    spec,
)
from embedding.builtin.colors import image_colors, word_colors
from embedding.builtin.concepts import concept_vectors
from embedding.builtin.vision import ImageClassifier
from embedding.description import Description
from embedding.precision import choose_precision, dtype_of
from embedding.sentence_transformer import TransformerEncoder
from embedding.text_layout import TextLayout
from images.arrays import Vectors
from schemas import Precision

_COLOR_STRIDE = 4
"""Every fourth pixel in each direction is looked at for colours: 56 x 56 say as much as 224 x 224."""


def load_builtin(precision: Precision | None = None) -> TransformerEncoder:
    """The offline model's encoder.

    Raises:
        ModelNotFound: a package with a part of the model is not installed.
    """
    precision = choose_precision(precision)
    model = SentenceTransformer(modules=[BuiltinModel(dtype_of(precision))], device="cpu")
    description = Description(NAME, spec(), TextLayout.of(NAME, [MAX_TOKENS], {}), TRANSFORM)
    return TransformerEncoder(model, description, precision)


class BuiltinModel(InputModule):
    """MiniLM, EfficientNet-Lite0 and colours as one module with the modalities text and image."""

    config_keys: list[str] = []  # noqa: RUF012 - as the base class declares it

    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        """
        Args:
            dtype: Arithmetic of the text network; everything else is float32.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        directory = str(minilm_directory())
        self.tokenizer: Any = AutoTokenizer.from_pretrained(directory, local_files_only=True)
        self.tokenizer.model_max_length = MAX_TOKENS
        self.text = BertModel.from_pretrained(directory, local_files_only=True, dtype=dtype)
        self.text.pooler = None  # trained for next-sentence prediction; asked not to load it, transformers complains
        self.vision = ImageClassifier(classifier_weights())
        concepts, mean = (torch.from_numpy(vectors) for vectors in concept_vectors())
        self.register_buffer("concepts", concepts, persistent=False)
        self.register_buffer("mean", mean, persistent=False)
        self._colors = {
            tuple(self.tokenizer.encode(word, add_special_tokens=False)): shares
            for word, shares in word_colors().items()
        }
        vocabulary = self.tokenizer.get_vocab()
        self._continuations = frozenset(number for token, number in vocabulary.items() if token.startswith("##"))

    @property
    def modalities(self) -> list[Any]:
        return ["text", "image"]

    @property
    def max_seq_length(self) -> int:
        return MAX_TOKENS

    def get_embedding_dimension(self) -> int:
        return DIMENSION

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **kwargs: Any) -> dict[str, Any]:
        """Features of a batch of texts, or of a batch of images; longer texts than the window are cut here."""
        if inputs and isinstance(inputs[0], Image.Image):
            pixels = np.stack([TRANSFORM.prepare(image) for image in inputs])
            return {"pixel_values": torch.from_numpy(pixels), "modality": "image"}
        texts = [(prompt or "") + text for text in inputs]
        tokens = self.tokenizer(texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
        return {**tokens, "modality": "text"}

    def forward(self, features: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Adds ``sentence_embedding``, ``(n, 833) float32``, unit rows."""
        if features["modality"] == "image":
            vectors = self._embed_images(features["pixel_values"])
        else:
            vectors = self._embed_texts(features["input_ids"], features["attention_mask"])
        return {**features, "sentence_embedding": normalize(vectors, dim=1)}

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        """Nothing but a mark: the weights stay in the packages they came in."""
        self.save_config(output_path)

    @classmethod
    def load(cls, model_name_or_path: str, *args: Any, **kwargs: Any) -> Self:
        """Of what ``save`` wrote: as ``SentenceTransformer(modules=[BuiltinModel.load(path)])``."""
        if not (Path(model_name_or_path) / cls.config_file_name).is_file():
            raise FileNotFoundError(f"no saved builtin model in {model_name_or_path}")
        return cls()

    def _embed_texts(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """``(n, 833)``: the semantic part and the colours of ``(n, tokens)`` ids."""
        states = self.text(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state.float()
        mask = attention_mask[:, :, None].float()
        sentence = normalize((states * mask).sum(1) / mask.sum(1), dim=1)
        semantic = normalize(sentence - self.mean, dim=1)
        colors = torch.from_numpy(np.stack([self._named_colors(ids) for ids in input_ids.tolist()]))
        return torch.cat([pad(semantic, (0, VISUAL + SHADES)), TEXT_COLORS_WEIGHT * colors], dim=1)

    def _embed_images(self, pixels: torch.Tensor) -> torch.Tensor:
        """``(n, 833)`` of ``(n, 224, 224, 3) uint8``."""
        mean, std = (torch.tensor(channels) for channels in (TRANSFORM.mean, TRANSFORM.std))
        values = pixels.float().mul_(TRANSFORM.scale).sub_(mean).div_(std)
        logits, features = self.vision(values.permute(0, 3, 1, 2))
        semantic = logits.softmax(1).pow(PROBABILITY_POWER) @ self.concepts
        samples = pixels[:, ::_COLOR_STRIDE, ::_COLOR_STRIDE]
        colors, shades = (torch.from_numpy(part) for part in image_colors(samples.numpy()))
        parts = [
            SEMANTIC_WEIGHT * normalize(semantic, dim=1),
            VISUAL_WEIGHT * normalize(features, dim=1),
            SHADES_WEIGHT * shades,
            COLORS_WEIGHT * colors,
        ]
        return torch.cat(parts, dim=1)

    def _named_colors(self, ids: Sequence[int]) -> Vectors:
        """``(11,)``, unit length, or zero where no colour is named: the square roots of the names' shares.

        Colours are found by whole words, whatever number of tokens a word has.
        """
        words: list[list[int]] = []
        for token in ids:
            if token in self._continuations and words:
                words[-1].append(token)
            else:
                words.append([token])
        named = [self._colors[key] for word in words if (key := tuple(word)) in self._colors]
        return np.sqrt(np.mean(named, axis=0)) if named else np.zeros(COLORS, np.float32)
