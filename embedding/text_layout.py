"""The form in which a model takes texts: length, padding and case; and long texts, cut into windows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

CLIP = frozenset({"clip", "clip_text_model"})
"""Types of models, as their configurations name them, with a mask and positions counted from the start."""
SIGLIP = frozenset({"siglip", "siglip2", "siglip_text_model", "siglip2_text_model"})
"""Those that pool the last of a fixed number of positions."""


class Windows(NamedTuple):
    """Long texts in pieces: ``ids`` of each piece with the marks of a text around them, ``text`` the number of the text
    that it is of, ``tokens`` how many of its own it has, ``(pieces,)``."""

    ids: list[list[int]]
    text: NDArray[np.intp]
    tokens: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TextLayout:
    """What must be known of a model's texts besides its tokenizer.

    SigLIP was trained on texts of exactly 64 tokens, padding included, and looks at the last of them: padded to the
    longest of a batch, as sentence-transformers does, a text's vector would depend on its neighbours
    (google-research/big_vision#157).
    """

    window: int
    """Tokens of a text, the tokenizer's marks included; longer ones are cut into several."""
    fixed: bool
    """Every text is padded to the window, else to the longest of its batch."""
    lower: bool
    """SigLIP 2 saw its texts in lower case, which Gemma's tokenizer, that it is published with, leaves to others."""
    turned: bool
    """Padded behind its end although the tokenizer pads in front: CLIP counts positions from the start."""

    @classmethod
    def of(cls, model_type: str, windows: Iterable[int | None], tokenizer: Mapping[str, Any]) -> Self:
        """
        Args:
            model_type: As the model's configuration has it.
            windows: What its files say of the length of a text; the shortest counts.
            tokenizer: Its configuration.
        """
        is_siglip = model_type in SIGLIP
        return cls(
            window=min(window for window in windows if window and window > 0),
            fixed=is_siglip,
            lower=is_siglip and str(tokenizer.get("tokenizer_class")).startswith("Gemma"),
            turned=model_type in CLIP and tokenizer.get("padding_side") == "left",
        )

    @property
    def recipe(self) -> str:
        """What makes other vectors of the same files than earlier versions did; empty where nothing does."""
        if self.fixed:
            return f"texts: padded to {self.window}{', in lower case' * self.lower}"
        return "texts: padded behind their end" if self.turned else ""

    def texts(self, texts: Iterable[str]) -> list[str]:
        """The texts in the case that the model saw."""
        return [text.lower() for text in texts] if self.lower else list(texts)

    def padding(self) -> dict[str, Any]:
        """Arguments of a tokenizer, for texts that are not beyond the window."""
        return {"padding": "max_length", "max_length": self.window, "truncation": True} if self.fixed else {}

    def cut(self, tokenizer: Any, texts: list[str]) -> Windows:
        """Texts in pieces of the window's length, each with the marks that the tokenizer puts around a text."""
        encoded = tokenizer(texts, truncation=False, verbose=False, return_special_tokens_mask=True)
        ids: list[list[int]] = []
        numbers: list[int] = []
        tokens: list[int] = []
        for number, (whole, mask) in enumerate(zip(encoded["input_ids"], encoded["special_tokens_mask"], strict=True)):
            own = np.flatnonzero(np.asarray(mask) == 0)
            first, last = (int(own[0]), int(own[-1]) + 1) if own.size else (0, 0)
            before, after = whole[:first], whole[last:]
            room = max(1, self.window - len(before) - len(after))
            pieces = [whole[at : min(at + room, last)] for at in range(first, last, room)] or [[]]
            ids += [[*before, *piece, *after] for piece in pieces]
            numbers += [number] * len(pieces)
            tokens += [max(1, len(piece)) for piece in pieces]
        return Windows(ids, np.array(numbers, np.intp), np.array(tokens, np.float32))
