"""Maximum pooling that keeps a byte for each maximum: where it is in its window.

PyTorch keeps an index of 8 bytes for each maximum, and the input. Of the spikes of the first layers of a convolutional network that is
more than anything else takes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable
from torch.nn.modules.utils import _pair

from . import _bits, _core
from ._call import FORMATS
from ._traced import is_traced

#: Size, stride and padding of windows, each vertical, then horizontal.
Window = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def max_pool2d(
    x: torch.Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> torch.Tensor:
    """As `torch.nn.functional.max_pool2d`, with the same results.

    On a GPU it keeps one byte for each maximum, and not its input, for the backward pass. That is without `dilation` and `ceil_mode`, for
    windows of up to 256 values and images `[B, C, H, W]` that are contiguous or in channels_last; otherwise, under
    `torch.compile` and on the CPU, PyTorch's function is called. Gradients are those of PyTorch, but for rounding where windows overlap, and
    cannot be differentiated again. The maxima of spikes are spikes for `save_spikes_as_bits`.
    """
    if is_traced((x,)):
        return torch.nn.functional.max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode)
    window = (_pair(kernel_size), _pair(kernel_size if stride is None else stride), _pair(padding))
    is_dilated = _pair(dilation) != (1, 1)
    layout = None if ceil_mode or is_dilated else _layout(x, window)
    if layout is None:
        y = torch.nn.functional.max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode)
    elif torch.is_grad_enabled() and x.requires_grad:
        y = MaxPool.apply(x, window, layout)
    else:
        y, _ = _maxima(x, window, layout)
    tracker = _bits.local.tracker
    # A dilated window may be in the padding alone, whose maximum is no spike.
    if tracker is not None and not is_dilated and tracker.are_spikes(x):
        tracker.note(y)
    return y


class MaxPool2d(torch.nn.MaxPool2d):
    """As `torch.nn.MaxPool2d`, with `functional.max_pool2d`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The maxima; with `return_indices`, also their indices, as PyTorch does it."""
        if self.return_indices:
            return super().forward(x)
        return max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)


class MaxPool(torch.autograd.Function):
    """`apply(x, window, layout)`."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, window: Window, layout: torch.memory_format) -> torch.Tensor:
        y, places = _maxima(x, window, layout)
        ctx.save_for_backward(places)
        ctx.window, ctx.layout, ctx.shape = window, layout, x.shape
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (places,) = ctx.saved_tensors
        grad = grad.resolve_neg().contiguous(memory_format=ctx.layout)
        grad_x = torch.empty(ctx.shape, dtype=grad.dtype, device=grad.device, memory_format=ctx.layout)
        _core.max_pool_gradient(grad_x, grad, places, *ctx.window)
        return grad_x, None, None


def _maxima(x: torch.Tensor, window: Window, layout: torch.memory_format) -> tuple[torch.Tensor, torch.Tensor]:
    shape = (*x.shape[:2], *map(_pooled, x.shape[2:], *window))
    y = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=layout)
    places = torch.empty(shape, dtype=torch.uint8, device=x.device, memory_format=layout)
    _core.max_pool(x.detach(), y, places, *window)
    return y, places


def _pooled(size: int, window: int, stride: int, padding: int) -> int:
    return (size + 2 * padding - window) // stride + 1


def _layout(x: torch.Tensor, window: Window) -> torch.memory_format | None:
    """In which layout the kernels can pool a tensor, if they can."""
    if x.device.type != "cuda" or x.dim() != 4 or x.dtype not in FORMATS or x.numel() == 0:
        return None
    height, width = window[0]
    if x.is_neg() or not 1 <= height * width <= 256:
        return None
    for size, own, stride, padding in zip(x.shape[2:], *window):
        if own < 1 or stride < 1 or not 0 <= padding <= own // 2 or size + 2 * padding < own:
            return None
    for layout in (torch.channels_last, torch.contiguous_format):
        if x.is_contiguous(memory_format=layout):
            return layout
    return None
