"""The first layer of CLIP's image network, applied to unnormalised 8-bit pixels."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from embedding.image_transform import ImageTransform

MIDDLE = 128
"""Of the range of a pixel: counted from there sums stay small, and so does what bfloat16 rounds of them."""


class PixelEmbeddings(nn.Module):
    """What a ``CLIPVisionEmbeddings`` makes of rescaled and normalised pixels, of ``(n, height, width, 3) uint8``.

    The convolution that cuts patches does not overlap: it is a matrix product, and with what rescales and normalises in
    its weights and in the positions it is one of small integers. So it can be done in whatever arithmetic is fastest.
    """

    positions: torch.Tensor

    def __init__(self, embeddings: Any, transform: ImageTransform) -> None:
        """
        Args:
            embeddings: A ``transformers`` ``CLIPVisionEmbeddings``.

        Raises:
            ValueError: it looks at images of another size than ``transform`` makes.
        """
        super().__init__()
        edge = embeddings.image_size
        if transform.crop != (edge, edge):
            raise ValueError(f"it looks at {edge}x{edge} pixels, and is given {transform.crop[1]}x{transform.crop[0]}")
        self.patch = embeddings.patch_size
        self.grid = edge // self.patch
        kernel = embeddings.patch_embedding.weight.detach().double()  # (dim, 3, patch, patch)
        mean, std = (torch.tensor(values).double().view(3, 1, 1) for values in (transform.mean, transform.std))
        self.product = CentredLinear((kernel * transform.scale / std).permute(0, 2, 3, 1).flatten(1))
        shift = (kernel * (MIDDLE * transform.scale - mean) / std).sum((1, 2, 3))
        positions = embeddings.position_embedding.weight.detach().double()
        first = positions[:1] + embeddings.class_embedding.detach().double()
        self.register_buffer("positions", torch.cat([first, positions[1:] + shift]).float())  # (1 + patches, dim)

    def forward(self, pixels: torch.Tensor, **_: Any) -> torch.Tensor:
        """``(n, 1 + patches, dim)`` of ``(n, height, width, 3) uint8``."""
        grid, patch = self.grid, self.patch
        whole = pixels[:, : grid * patch, : grid * patch]
        patches = whole.reshape(-1, grid, patch, grid, patch * 3).transpose(2, 3).reshape(-1, grid**2, patch**2 * 3)
        return nn.functional.pad(self.product(patches), (0, 0, 1, 0)) + self.positions


class CentredLinear(nn.Module):
    """``(.., m) uint8`` -> ``(.., k)``: a product with ``(k, m)`` weights of what is left of ``MIDDLE``."""

    middle: torch.Tensor

    def __init__(self, weights: torch.Tensor) -> None:
        super().__init__()
        self.linear = nn.Linear(weights.shape[1], weights.shape[0], bias=False)
        self.linear.weight.data = weights.float()
        self.register_buffer("middle", torch.tensor(float(MIDDLE)))  # knows what the linear layer computes in

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        product: torch.Tensor = self.linear(pixels.to(self.middle.dtype) - self.middle)
        return product
