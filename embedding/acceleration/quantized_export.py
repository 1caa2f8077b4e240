"""CLIP's image network as one module, from prepared pixels to vectors, and its export in int8."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from onnxruntime.quantization import quantize_dynamic
from torch import nn
from torch.onnx import TensorProtoDataType

from embedding.acceleration.pixel_embeddings import MIDDLE, CentredLinear
from embedding.description import Description
from embedding.sentence_transformer import load_model
from schemas import ModelError, first_line


def export_int8(directory: Path, description: Description) -> bytes:
    """ONNX with int8 weights: ``pixels (n, height, width, 3) uint8`` -> ``vectors (n, dim) float32`` of any length.

    For a process of its own: it takes memory, and sets warnings and logging for all of the process.

    Raises:
        ModelError: it cannot be made; the message says why.
    """
    try:
        return _export_int8(directory, description)
    except Exception as error:  # the exporter's errors are of all kinds, and not all of them go to another process
        raise ModelError(f"no int8 network can be made of {directory}: {first_line(error)}") from None


def _export_int8(directory: Path, description: Description) -> bytes:
    warnings.simplefilter("ignore")  # that the exporter is the older one, and what it makes constants of
    logging.disable(logging.WARNING)  # that quantizing wants a graph prepared, which changes nothing here
    network = ImageNetwork(load_model(directory, description)[0].model.float()).eval()
    assert description.transform  # CLIP has one
    height, width = description.transform.crop
    with TemporaryDirectory(prefix="storelens-int8-") as folder, torch.inference_mode():
        exported, quantized = Path(folder, "float32.onnx"), Path(folder, "int8.onnx")
        torch.onnx.export(
            network,
            (torch.zeros(2, height, width, 3, dtype=torch.uint8),),
            str(exported),
            dynamo=False,
            opset_version=17,
            input_names=["pixels"],
            output_names=["vectors"],
            dynamic_axes={"pixels": {0: "n"}, "vectors": {0: "n"}},
        )
        quantize_dynamic(exported, quantized, per_channel=True, op_types_to_quantize=["MatMul"])
        return quantized.read_bytes()


class ImageNetwork(nn.Module):
    """``(n, height, width, 3) uint8`` -> ``(n, dim) float32``, of any length; its first layer in int8."""

    def __init__(self, clip: Any) -> None:
        """
        Args:
            clip: A ``transformers.CLIPModel`` of ``load_model``, in float32; its image network is changed.
        """
        super().__init__()
        self.vision, self.projection = clip.vision_model, clip.visual_projection
        self.vision.embeddings.product = IntegerProduct(self.vision.embeddings.product)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        vectors: torch.Tensor = self.projection(self.vision(pixel_values=pixels).pooler_output)
        return vectors


class IntegerProduct(nn.Module):
    """A ``CentredLinear`` with int8 weights, a scale for each output.

    Pixels are integers of 8 bits already, so nothing but weights is rounded. ViT-B/32: a tenth less of an image's time
    than with a convolution in float32, which quantized as it stands was slower still.
    """

    weights: torch.Tensor
    scales: torch.Tensor

    def __init__(self, centred: CentredLinear) -> None:
        super().__init__()
        weights = centred.linear.weight.detach().T  # (m, k)
        scales = (weights.abs().amax(0) / 127).clamp(min=torch.finfo(torch.float32).tiny)
        self.register_buffer("weights", (weights / scales).round().to(torch.int8))
        self.register_buffer("scales", scales)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """``(.., k) float32`` of ``(.., m) uint8``."""
        product: torch.Tensor = _MatMulInteger.apply(pixels, self.weights)  # type: ignore[no-untyped-call]
        return product * self.scales


class _MatMulInteger(torch.autograd.Function):
    @staticmethod
    def forward(_: Any, pixels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return (pixels.float() - MIDDLE) @ weights.float()

    @staticmethod
    def symbolic(graph: Any, pixels: Any, weights: Any) -> Any:
        middle = graph.op("Constant", value_t=torch.tensor(MIDDLE, dtype=torch.uint8))
        return graph.op("Cast", graph.op("MatMulInteger", pixels, weights, middle), to_i=TensorProtoDataType.FLOAT)
