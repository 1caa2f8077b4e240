"""CLIP's products in the shape that oneDNN multiplies fastest: the same numbers within bfloat16."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import CLIPConfig, CLIPModel
from transformers.models.clip.modeling_clip import CLIPMLP

from embedding.acceleration.packed import PackedLinear, can_pack, pack
from embedding.precision import choose_precision
from embedding.sentence_transformer import TransformerEncoder, load_sentence_transformer
from evaluation.benchmarks.random_clip import make_clip

packs = pytest.mark.skipif(not can_pack(), reason="torch has no packed products in bfloat16 for this processor")


def test_torch_still_has_them_where_bfloat16_is_chosen() -> None:
    assert can_pack() or choose_precision(None) == "float32"


def _clip(activation: str) -> Any:
    torch.manual_seed(0)
    tiny = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    vision = {**tiny, "image_size": 32, "patch_size": 8, "hidden_act": activation}
    text = {**tiny, "vocab_size": 99, "hidden_act": activation, "eos_token_id": 98}
    network: Any = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16))
    return network.eval()


@packs
@torch.inference_mode()
@pytest.mark.parametrize("activation", ["quick_gelu", "gelu", "relu"])
def test_it_rounds_no_more_than_the_usual_bfloat16(activation: str) -> None:
    pixels, ids = torch.randn(9, 3, 32, 32), torch.randint(0, 98, (5, 11))
    mask = (torch.arange(11) < torch.tensor([[11], [7], [3], [1], [9]])).long()
    ids[mask == 0] = 98
    networks = [_clip(activation), _clip(activation).to(torch.bfloat16), _clip(activation)]
    pack(networks[2])
    networks[2].to(torch.bfloat16)
    assert not any(isinstance(module, nn.Linear | CLIPMLP) for module in networks[2].modules())
    images = [clip.get_image_features(pixels.to(clip.dtype)).pooler_output for clip in networks]
    texts = [clip.get_text_features(ids, attention_mask=mask).pooler_output for clip in networks]
    for exact, usual, packed in (images, texts):
        assert (packed - exact).norm() < 1.3 * (usual - exact).norm()


@packs
@torch.inference_mode()
@pytest.mark.parametrize("rows", [1, 7, 50, 400, 4000])
def test_a_layer_takes_any_number_of_rows(rows: int) -> None:
    layer, values = nn.Linear(48, 24).to(torch.bfloat16), torch.randn(rows, 1, 48).to(torch.bfloat16)
    packed = PackedLinear(layer.weight, layer.bias)
    torch.testing.assert_close(packed(values), layer(values))
    torch.testing.assert_close(PackedLinear(layer.weight, None)(values), values @ layer.weight.T)


@packs
def test_a_model_in_bfloat16_is_packed_and_one_in_float32_is_not(tmp_path: Path) -> None:
    directory = make_clip(tmp_path / "tiny")
    packed, plain = (
        load_sentence_transformer("tiny", directory, "bfloat16"),
        load_sentence_transformer("tiny", directory, "float32"),
    )
    assert _count(packed, PackedLinear) == _count(plain, nn.Linear) > 0
    assert _count(packed, nn.Linear) == _count(plain, PackedLinear) == 0


def _count(encoder: TransformerEncoder, kind: type[nn.Module]) -> int:
    return sum(isinstance(module, kind) for module in encoder.model.modules())
