"""Calls that somebody looks at: the compiler, export, dispatch modes, fake tensors, transforms of `torch.func`."""

from __future__ import annotations

from typing import Any, Sequence

import torch

from . import _initial
from ._call import is_same, real
from ._neuron import Neuron
from ._vmap import is_transformed
from .ops import OPERATIONS, Operation, laid_out, layout


_PLAIN = (torch.Tensor, torch.nn.Parameter)
# Private: if a version of PyTorch lacks one of them, everything is an operation of `torch.library`, which is right but slower.
_dispatch_modes = getattr(torch._C, "_len_torch_dispatch_stack", lambda: 1)
_transforms = getattr(getattr(torch._C, "_functorch", None), "peek_interpreter_stack", lambda: 1)
_is_compiling = torch.compiler.is_compiling


def is_traced(inputs: Sequence[torch.Tensor]) -> bool:
    """Whether somebody looks at operations: the compiler, tensors of other classes, modes, transforms."""
    return _is_compiling() or type(inputs[0]) not in _PLAIN or _dispatch_modes() > 0 or _transforms() is not None


class Transformed(torch.autograd.Function):
    """Training under transforms of `torch.func`, which do not see the gradients that are registered for operations."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        operation: Operation, settings: tuple[Any, ...], *arrays: torch.Tensor | None
    ) -> tuple[torch.Tensor, ...]:
        return tuple(operation.train(*arrays, *settings))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[torch.Tensor, ...]) -> None:
        ctx.operation, settings, *arrays = inputs
        ctx.operation.setup_context(ctx, (*arrays, *settings), output)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor | None) -> tuple[Any, ...]:
        operation: Operation = ctx.operation
        first = 2 + len(operation.inputs)
        wanted = list(ctx.needs_input_grad[first : first + len(operation.states)])
        return (None, None, *operation.gradients(ctx, grads, wanted))


def run(
    neuron: Neuron, inputs: Any, states: Any, parameters: Any, sequence: bool, final: bool = True
) -> tuple[torch.Tensor, ...]:
    """As `functional.run`, by operations of `torch.library`."""
    operation = OPERATIONS[neuron.key]
    if neuron.relaxed:
        raise ValueError(f"{neuron.name}: the relaxed model is for checks of gradients, and cannot be traced")
    x = inputs[0] = laid_out(inputs[0], sequence)
    like = x[0] if sequence else x
    dtype = real(x.dtype)
    inputs = [x, *[_as(other, x, sequence) for other in inputs[1:]]]
    initial = neuron.initial_state
    given = []
    for name in operation.arrays:
        array = None if parameters is None else parameters.get(name)
        if array is None:
            array = torch.full((1,), neuron.values[name], dtype=dtype, device=x.device)
        given.append(array.to(dtype).contiguous())
    states = states if states is not None else [None] * len(initial)
    held: list[torch.Tensor | None] = []
    for state, first, program, can_be_number in zip(states, initial, neuron._programs, operation.can_be_number):
        if state is None and program is not None:
            state = _initial.spread(program, given, like, like.shape)
            if state is not None:
                # Under transforms, more than `like` may be batched.
                state = state.contiguous(memory_format=layout(like, False) or torch.contiguous_format)
        if isinstance(state, torch.Tensor):
            held.append(_as(state.to(dtype), like, False))
        elif can_be_number and (state is None or is_same(state, first)):
            held.append(None)
        else:
            held.append(torch.full_like(like, first if state is None else state, dtype=dtype, requires_grad=False))
    arrays = [*inputs, *held, *given]
    settings = (*operation.settings(neuron, sequence), final)
    count = 1 + (len(held) if final else 0)
    if is_transformed():
        return Transformed.apply(operation, settings, *arrays)[:count]
    if torch.is_grad_enabled() and any(array is not None and array.requires_grad for array in arrays):
        return tuple(operation.train(*arrays, *settings)[:count])
    return tuple(operation.infer(*arrays, *settings))


def _as(array: torch.Tensor, like: torch.Tensor, sequence: bool) -> torch.Tensor:
    if array.shape != like.shape or layout(array, sequence) == layout(like, sequence):
        return array
    return torch.empty_like(like, dtype=array.dtype).copy_(array)
