"""Which precision is fastest on this processor without being measured."""

from __future__ import annotations

import torch

from schemas import ConfigurationError, Precision

_DTYPES: dict[Precision, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def choose_precision(asked: Precision | None) -> Precision:
    """The precision asked for, else bfloat16 where it is native (AVX-512 BF16, AMX), else float32.

    Elsewhere bfloat16 is emulated and slower than float32.

    Raises:
        ConfigurationError: a precision that models are not run in.
    """
    if asked is None:
        return "bfloat16" if torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported() else "float32"
    if asked not in _DTYPES:
        raise ConfigurationError(f"precision must be one of {', '.join(_DTYPES)}, not {asked!r}")
    return asked


def dtype_of(precision: Precision) -> torch.dtype:
    return _DTYPES[precision]
