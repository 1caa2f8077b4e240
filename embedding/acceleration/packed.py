"""CLIP in bfloat16 on a processor, faster: the same network in the shape that oneDNN multiplies fastest.

Weights are laid out once and not in each call, activations are computed within the product before them, and attention
is two batched products, since ``scaled_dot_product_attention`` is made for longer sequences than fifty. Together that
makes an image an eighth faster (docs/measurements.md).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import AttentionInterface
from transformers.activations import GELUActivation, QuickGELUActivation
from transformers.models.clip.modeling_clip import CLIPMLP

_FUSED: dict[type[nn.Module], tuple[str, float]] = {
    GELUActivation: ("gelu", 1.0),
    QuickGELUActivation: ("swish", 1.702),  # x * sigmoid(1.702 x)
}
"""oneDNN's name, and ``s``: the activation of ``x`` is oneDNN's of ``s x``, over ``s``."""
_ATTENTION = "storelens_batched"
_ROWS = 400
"""Tokens of a call that weights are laid out for: as fast for fewer and for more."""


def can_pack() -> bool:
    """Whether torch has the operators, which it makes for ``torch.compile`` and documents nowhere, and they run here.

    ``torch.compile`` itself would want a C++ compiler on the machine, and a minute.
    """
    operators = torch.ops.mkldnn
    names = ("_is_mkldnn_bf16_supported", "_reorder_linear_weight", "_linear_pointwise")
    return all(hasattr(operators, name) for name in names) and bool(operators._is_mkldnn_bf16_supported())


def pack(clip: Any) -> None:
    """Let the products of a ``transformers.CLIPModel`` in float32 be computed in bfloat16; the rest is left to cast.

    For inference on a processor where ``can_pack``.
    """
    _pack_linears(clip)
    AttentionInterface.register(_ATTENTION, _attend)
    clip.vision_model.set_attn_implementation(_ATTENTION)  # texts have a mask, and few tokens at a time


def _pack_linears(module: nn.Module) -> None:
    for name, child in list(module.named_children()):
        if isinstance(child, CLIPMLP):
            setattr(module, name, _PackedPerceptron(child))
        elif isinstance(child, nn.Linear):
            setattr(module, name, PackedLinear(child.weight, child.bias))
        else:
            _pack_linears(child)


class PackedLinear(nn.Module):
    """``nn.Linear`` in bfloat16, with an activation or without.

    Its weights are in an order of oneDNN's own, so they are no parameters: they can be neither saved nor moved.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, activation: str = "none") -> None:
        """
        Args:
            activation: ``none``, ``swish`` or ``gelu``.
        """
        super().__init__()
        rounded = weight.detach().to(torch.bfloat16).contiguous()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(rounded, _ROWS)
        self._bias = None if bias is None else bias.detach().to(torch.bfloat16)
        self._activation = activation

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """``(.., k) bfloat16`` of ``(.., m) bfloat16``."""
        result: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            values, self._weight, self._bias, self._activation, [], "none"
        )
        return result


class _PackedPerceptron(nn.Module):
    def __init__(self, perceptron: CLIPMLP) -> None:
        super().__init__()
        first, second, activation = perceptron.fc1, perceptron.fc2, perceptron.activation_fn
        fused, scale = _FUSED.get(type(activation), ("none", 1.0))
        self.first = PackedLinear(first.weight * scale, first.bias * scale, fused)
        self.between = activation if fused == "none" else nn.Identity()
        self.second = PackedLinear(second.weight / scale, second.bias)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.second(self.between(self.first(values)))
        return result


def _attend(
    _: nn.Module,
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    mask: None,
    scaling: float,
    **__: Any,
) -> tuple[torch.Tensor, None]:
    """``(n, tokens, heads, size)`` of three ``(n, heads, tokens, size)``, as ``AttentionInterface`` wants it."""
    n, heads, tokens, size = queries.shape
    query, key, value = (part.contiguous().view(n * heads, tokens, size) for part in (queries, keys, values))
    weights = torch.bmm(query, key.transpose(1, 2)).mul_(scaling).softmax(-1)
    return torch.bmm(weights, value).view(n, heads, tokens, size).transpose(1, 2), None
