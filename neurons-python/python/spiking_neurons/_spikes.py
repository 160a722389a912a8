"""Spikes as bytes instead of numbers of the input's format.

Kernels write one bit a spike, which is then unpacked by a table: a second pass over a byte a spike, where a conversion
would be one over numbers of two to eight bytes.
"""

from __future__ import annotations

import functools
from typing import Any, Sequence

import torch

from . import _traced, functional
from ._neuron import Neuron

#: Formats of one byte, of which 0 and 1 are the same.
DTYPES = (torch.bool, torch.int8, torch.uint8)


def run(
    neuron: Neuron, inputs: Sequence[torch.Tensor], states: Any, parameters: Any, sequence: bool, final: bool, dtype: torch.dtype
) -> tuple[torch.Tensor, ...]:
    """As `functional.run`, without gradient."""
    check(neuron, dtype)
    if _traced.is_traced(inputs):
        output, *held = _traced.run(neuron, list(inputs), states, parameters, sequence, final)
        return (converted(neuron, output, dtype), *held)
    if not sequence:
        inputs = [x.unsqueeze(0) for x in inputs]
    call, arrays = functional.arrange(neuron, inputs, states, parameters, True)
    if functional._needs_grad(arrays):
        refuse(neuron, dtype)
    words, *held = call.infer_packed(arrays, final)
    spikes = _unpacked(words, arrays[0], dtype)
    return (spikes if sequence else spikes[0], *held)


def converted(neuron: Neuron, output: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Where spikes are there already, or a compiler is to see what is done."""
    check(neuron, dtype)
    if output.requires_grad:
        refuse(neuron, dtype)
    return output.to(dtype)


def check(neuron: Neuron, dtype: torch.dtype) -> None:
    """Refuses other formats, and neurons whose output is no spikes."""
    if dtype not in DTYPES:
        raise TypeError(f"{neuron.name}: `spike_dtype` is {dtype}; torch.bool, torch.int8, torch.uint8 or None expected")
    if not neuron.spec["fires"] or neuron.relaxed:
        what = "the output of the relaxed model" if neuron.relaxed else f"its output `{neuron.spec['output']}`"
        raise ValueError(f"{neuron.name}: `spike_dtype` is given, but {what} is not made of spikes")


def refuse(neuron: Neuron, dtype: torch.dtype) -> None:
    raise RuntimeError(
        f"{neuron.name}: a gradient is asked for, and spikes in {dtype} have none; call it under torch.no_grad(), or without `spike_dtype`"
    )


@functools.lru_cache(maxsize=64)
def _table(device: torch.device) -> torch.Tensor:
    """For each byte of eight spikes, these as eight bytes, which are one int64."""
    # Made once, also for calls outside of `torch.inference_mode`.
    with torch.inference_mode(False):
        bits = torch.arange(256).unsqueeze(1) >> torch.arange(8) & 1
        return bits.to(torch.uint8).view(torch.int64).flatten().to(device)


def _unpacked(words: torch.Tensor, x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Spikes of the shape and layout of `x`, from rows of `ceil(N / 32)` words in the order of memory."""
    table = _table(x.device)
    spikes = table.index_select(0, words.flatten().view(torch.uint8).int()).view(dtype)
    rows = spikes.as_strided(x.shape, (words.shape[1] * 32, *x.stride()[1:]))
    if words.shape[1] * 32 == x[0].numel():
        return rows
    # The last word of a row is not full.
    return torch.empty_strided(x.shape, x.stride(), dtype=dtype, device=x.device).copy_(rows)
