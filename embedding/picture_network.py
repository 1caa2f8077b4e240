"""CLIP's picture network as one module, from prepared pixels on, and its export in int8."""

from __future__ import annotations

import logging
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from onnxruntime.quantization import quantize_dynamic
from torch import nn

from embedding.description import Description
from embedding.image_transform import ImageTransform
from embedding.quantized import first_line
from embedding.sentence_transformer import load_model


def send_int8(directory: Path, description: Description, receiver: Connection) -> None:
    """Sends ONNX with int8 weights, bytes: ``pixels (n, height, width, 3) uint8`` -> ``vectors (n, dim) float32`` of
    any length. Or, a string, why it cannot be made.

    For a process of its own: it takes memory, and sets warnings and logging for all of the process.
    """
    with receiver:
        try:
            made: bytes | str = _make_int8(directory, description)
        except Exception as error:  # the exporter's errors are of all kinds
            made = first_line(error)
        receiver.send(made)


def _make_int8(directory: Path, description: Description) -> bytes:
    warnings.simplefilter("ignore")  # that the exporter is the older one, and what it makes constants of
    logging.disable(logging.WARNING)  # that quantizing wants a graph prepared, which changes nothing here
    network = PictureNetwork(load_model(directory, description)[0].model.float(), description.transform).eval()
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
        # Not the convolution that cuts patches: in int8 it is slower, and the vectors are worse.
        quantize_dynamic(exported, quantized, per_channel=True, op_types_to_quantize=["MatMul"])
        return quantized.read_bytes()


class PictureNetwork(nn.Module):
    """``(n, height, width, 3) uint8`` -> ``(n, dim) float32``, of any length."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, clip: Any, transform: ImageTransform) -> None:
        """
        Args:
            clip: A ``transformers.CLIPModel`` in float32.
        """
        super().__init__()
        self.vision, self.projection = clip.vision_model, clip.visual_projection
        self.scale = transform.scale
        self.register_buffer("mean", torch.tensor(transform.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(transform.std).view(1, 3, 1, 1))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        values = (pixels.permute(0, 3, 1, 2).float() * self.scale - self.mean) / self.std
        vectors: torch.Tensor = self.projection(self.vision(pixel_values=values).pooler_output)
        return vectors
