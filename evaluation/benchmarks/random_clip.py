"""CLIP of the true architecture with random weights: for parity and speed only, its vectors mean nothing.

No package index carries CLIP's weights, and neither the correctness of the plumbing nor its speed depends
on them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

Size = Literal["tiny", "tiny-512", "vit-b-32"]
"""``tiny-512`` costs next to nothing and has vectors as long as those of ViT-B/32."""

_TINY = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
_TINY_EDGE, _EDGE = 32, 224


def make_clip(directory: Path, size: Size = "tiny", seed: int = 0, layers: int = 12) -> Path:
    """Writes the model in the layout of ``sentence-transformers/clip-ViT-B-32`` and returns its directory.

    The tokenizer knows bytes and no longer pieces, so a text has as many tokens as letters, and two more.

    Args:
        layers: Of each network of ``vit-b-32``; twelve in the true one.
    """
    import torch
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]

    folder = directory / "0_CLIPModel"
    folder.mkdir(parents=True)
    tokenizer = CLIPTokenizer(vocab=_byte_vocabulary(), merges=[], model_max_length=77)
    marks = {f"{mark}_token_id": getattr(tokenizer, f"{mark}_token_id") for mark in ("bos", "eos", "pad")}
    # The defaults of CLIPConfig are those of openai/clip-vit-base-patch32.
    if size != "vit-b-32":
        edge = _TINY_EDGE
        vision = {**_TINY, "image_size": edge, "patch_size": 8}
        config = CLIPConfig(
            text_config={**_TINY, **marks}, vision_config=vision, projection_dim=16 if size == "tiny" else 512
        )
    else:
        edge = _EDGE
        depth = {"num_hidden_layers": layers}
        config = CLIPConfig(text_config={**depth, **marks}, vision_config=depth)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = CLIPModel(config)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": edge}, crop_size={"height": edge, "width": edge}).save_pretrained(
        folder
    )

    module = {"idx": 0, "name": "0", "path": folder.name, "type": "sentence_transformers.models.CLIPModel"}
    (directory / "modules.json").write_text(json.dumps([module]))
    (directory / "config_sentence_transformers.json").write_text(json.dumps({"__version__": {}}))
    return directory


def _byte_vocabulary() -> dict[str, int]:
    """Every byte in the letters of GPT-2's byte-level BPE, within a word and at its end, and CLIP's two marks."""
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return {token: number for number, token in enumerate(tokens)}
