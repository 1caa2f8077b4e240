"""The first layer of CLIP's image network, of pixels as they are, against transformers' own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from PIL import Image
from transformers import CLIPVisionConfig
from transformers.models.clip.modeling_clip import CLIPVisionEmbeddings

from embedding.acceleration.packed import PackedLinear, can_pack
from embedding.acceleration.pixel_embeddings import PixelEmbeddings
from embedding.acceleration.quantized_export import IntegerProduct
from embedding.image_transform import ImageTransform

SIZES = pytest.mark.parametrize(("edge", "patch"), [(32, 8), (224, 32), (30, 7), (8, 8)])


def _transform(edge: int) -> ImageTransform:
    mean, std = (0.48, 0.46, 0.41), (0.27, 0.26, 0.28)
    return ImageTransform(edge, (edge, edge), Image.Resampling.BICUBIC, 1 / 255, mean, std)


def _embeddings(edge: int, patch: int) -> CLIPVisionEmbeddings:
    torch.manual_seed(0)
    return CLIPVisionEmbeddings(CLIPVisionConfig(hidden_size=24, image_size=edge, patch_size=patch))


def _pixels(edge: int) -> torch.Tensor:
    return torch.randint(0, 256, (3, edge, edge, 3), dtype=torch.uint8)


def _exact(reference: CLIPVisionEmbeddings, pixels: torch.Tensor) -> torch.Tensor:
    transform = _transform(pixels.shape[1])
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (transform.mean, transform.std))
    exact: torch.Tensor = reference((pixels.permute(0, 3, 1, 2).float() * transform.scale - mean) / std)
    return exact


def _error(made: torch.Tensor, exact: torch.Tensor) -> float:
    return float((made.float() - exact).norm() / exact.norm())


@SIZES
@torch.inference_mode()
def test_it_is_the_same(edge: int, patch: int) -> None:
    reference, pixels = _embeddings(edge, patch), _pixels(edge)
    exact, made = _exact(reference, pixels), PixelEmbeddings(reference, _transform(edge))(pixels)
    assert made.shape == (3, 1 + (edge // patch) ** 2, 24)
    torch.testing.assert_close(made, exact, atol=1e-5, rtol=1e-5)


@SIZES
@torch.inference_mode()
def test_in_int8_weights_are_rounded(edge: int, patch: int) -> None:
    reference, pixels = _embeddings(edge, patch), _pixels(edge)
    embeddings: Any = PixelEmbeddings(reference, _transform(edge))
    embeddings.product = IntegerProduct(embeddings.product)
    exact, made = _exact(reference, pixels), embeddings(pixels)
    torch.testing.assert_close(made[:, 0], exact[:, 0])
    assert 1e-6 < _error(made[:, 1:], exact[:, 1:]) < 0.01


@pytest.mark.skipif(not can_pack(), reason="torch has no packed products in bfloat16 for this processor")
@SIZES
@torch.inference_mode()
def test_bfloat16_loses_no_more_than_on_normalised_pixels(edge: int, patch: int) -> None:
    reference, pixels = _embeddings(edge, patch), _pixels(edge)
    exact = _exact(reference, pixels)
    embeddings: Any = PixelEmbeddings(reference, _transform(edge))
    embeddings.product.linear = PackedLinear(embeddings.product.linear.weight, None)
    made = embeddings.to(torch.bfloat16)(pixels)
    usual = _exact(reference.to(torch.bfloat16), pixels)
    assert 1e-6 < _error(made, exact) < 1.2 * _error(usual, exact)


@torch.inference_mode()
def test_an_output_that_is_always_zero_stays_so() -> None:
    reference = _embeddings(16, 8)
    reference.patch_embedding.weight[5] = 0
    embeddings: Any = PixelEmbeddings(reference, _transform(16))
    embeddings.product = IntegerProduct(embeddings.product)
    made = embeddings(torch.full((1, 16, 16, 3), 255, dtype=torch.uint8))
    torch.testing.assert_close(made[0, 1:, 5], reference.position_embedding.weight[1:, 5])


def test_pixels_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="looks at 32x32 pixels, and is given 16x16"):
        PixelEmbeddings(_embeddings(32, 8), _transform(16))
