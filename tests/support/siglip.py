"""SigLIP and SigLIP 2 of the true architectures, tiny, with random weights and tokenizers of bytes."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any, Literal

Kind = Literal["siglip", "siglip2", "naflex"]
"""``siglip2`` are the models of a fixed size, which are published as SigLIP with Gemma's tokenizer."""

_TINY = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


def make_siglip(directory: Path, kind: Kind = "siglip", *, window: int = 64, **tokenizer: Any) -> Path:
    """Writes the model as the hub has it and returns its directory.

    Args:
        window: Positions of a text.
        tokenizer: Further arguments of the tokenizer.
    """
    import torch
    import transformers

    hub: Any = transformers  # half of it is without types
    hub.utils.logging.disable_progress_bar()
    vocabulary = _vocabulary()
    marks = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 2, "vocab_size": len(vocabulary)}
    # The text's vectors are longer than its layers are wide, as in the largest SigLIP 2.
    text = {**_TINY, **marks, "max_position_embeddings": window, "projection_size": 48}
    vision = {**_TINY, "hidden_size": 48}
    # Published without an attention mask, marked at their ends alone, and without saying their length.
    usual = {"add_bos_token": False, "add_eos_token": True, "padding_side": "right", "model_input_names": ["input_ids"]}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        if kind == "naflex":
            config = hub.Siglip2Config(text_config=text, vision_config={**vision, "patch_size": 16, "num_patches": 16})
            model = hub.Siglip2Model(config)
            words = hub.Siglip2Tokenizer(vocab=vocabulary, merges=[], **{**usual, **tokenizer})
            processor = hub.Siglip2Processor(hub.Siglip2ImageProcessorPil(), words)
        else:
            config = hub.SiglipConfig(text_config=text, vision_config={**vision, "patch_size": 8, "image_size": 32})
            model = hub.SiglipModel(config)
            words = hub.GemmaTokenizer(vocab=vocabulary, merges=[], **{**usual, **tokenizer})
            words = words if kind == "siglip2" else _of_no_family(words)
            processor = hub.SiglipProcessor(hub.SiglipImageProcessorPil(size={"height": 32, "width": 32}), words)
    model.save_pretrained(directory)
    processor.save_pretrained(directory)
    return directory


def _of_no_family(words: Any) -> Any:
    """The same tokenizer under no family's name."""
    import transformers

    backend: Any = transformers.PreTrainedTokenizerFast
    return backend(
        tokenizer_object=words.backend_tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        unk_token="<unk>",
        padding_side=words.padding_side,
        model_input_names=words.model_input_names,
    )


def _vocabulary() -> dict[str, int]:
    """The marks of Gemma's tokenizer, every byte, letters and digits."""
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *(f"<0x{byte:02X}>" for byte in range(256))]
    return {token: number for number, token in enumerate([*tokens, *string.ascii_letters, *string.digits, "▁"])}
