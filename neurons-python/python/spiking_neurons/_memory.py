"""Memory of the CPU for what kernels write.

PyTorch returns large memory to the system as soon as it is free, and every page of new memory causes a page fault when it is first
touched, which takes longer than a kernel needs for it. Large tensors that this package makes on the CPU therefore are in memory that
it keeps for later ones of the same size, up to 1 GiB; `release_memory` returns it.
"""

from __future__ import annotations

import math
from typing import Sequence

import torch
from torch.utils.dlpack import from_dlpack

from ._core import host_tensor

#: Size in bytes from which kept memory is worth the few microseconds more that it takes to get.
LARGE = 4 << 20


def empty_strided(shape: Sequence[int], stride: Sequence[int], *, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """As `torch.empty_strided`, for a tensor without gaps on the CPU."""
    if math.prod(shape) * dtype.itemsize < LARGE:
        return torch.empty_strided(shape, stride, dtype=dtype, device=device)
    return from_dlpack(host_tensor(shape, stride, str(dtype)))


def empty_like(tensor: torch.Tensor, *, dtype: torch.dtype | None = None) -> torch.Tensor:
    """As `torch.empty_like`, for a tensor without gaps on the CPU."""
    dtype = dtype or tensor.dtype
    if tensor.numel() * dtype.itemsize < LARGE:
        return torch.empty_like(tensor, dtype=dtype)
    return from_dlpack(host_tensor(tensor.shape, tensor.stride(), str(dtype)))
