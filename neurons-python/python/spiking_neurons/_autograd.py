"""The differentiable form of a call."""

from __future__ import annotations

from typing import Any, Sequence

import torch

from ._call import Call, Recipe


class Differentiable(torch.autograd.Function):
    """`apply(call, final, *inputs, *states, *parameters)` gives the output and the next states; without `final`, the output.

    States that are None start at their initial values. Keeps what the cheaper pair of templates needs. Written with `ctx` only, which
    costs half of what `setup_context` does.
    """

    @staticmethod
    def forward(ctx: Any, call: Call, final: bool, *arrays: torch.Tensor | None) -> tuple[torch.Tensor, ...]:
        return save(ctx, call, final, arrays, call.is_lean(arrays[0]))

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor | None, *grad_states: torch.Tensor | None) -> tuple[Any, ...]:
        grads, _ = differentiate(ctx, 2, grad_output, grad_states)
        return (None, None, *grads)


def save(
    ctx: Any, call: Call, final: bool, arrays: tuple[torch.Tensor | None, ...], lean: bool, *more: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """The results of a forward pass. What its backward pass needs goes into `ctx`, and `more` with it."""
    outputs, kept = call.forward_lean(arrays, final) if lean else call.forward_factors(arrays, final)
    recipe = call.recipe(lean)
    pool = arrays + kept
    # Of single steps there are no checkpoints.
    saved = [pool[place] if place < len(pool) else None for place in recipe.saved]
    ctx.save_for_backward(*saved, *more)
    ctx.set_materialize_grads(False)
    ctx.call, ctx.recipe = call, recipe
    ctx.shape, ctx.stride = arrays[0].shape, arrays[0].stride()
    return outputs


def differentiate(
    ctx: Any, first: int, grad_output: torch.Tensor | None, grad_states: Sequence[torch.Tensor | None]
) -> tuple[list[torch.Tensor | None], tuple[torch.Tensor, ...]]:
    """The gradients of the arrays of a call, which were the arguments from `first` on; what else was saved."""
    call: Call = ctx.call
    if torch.is_grad_enabled():
        raise RuntimeError(
            f"{call.neuron.name}: surrogate gradients have no second derivative; call backward without create_graph=True"
        )
    states = first + call.inputs
    wanted = ctx.needs_input_grad[states : states + call.states]
    saved, count = ctx.saved_tensors, len(ctx.recipe.saved)
    grads = backward(call, ctx.recipe, ctx.shape, ctx.stride, saved, grad_output, grad_states, wanted)
    return grads, saved[count:]


def backward(
    call: Call,
    recipe: Recipe,
    shape: Any,
    stride: Any,
    saved: Sequence[torch.Tensor | None],
    grad_output: torch.Tensor | None,
    grad_states: Sequence[torch.Tensor | None],
    wanted: Sequence[bool],
) -> list[torch.Tensor | None]:
    """The gradients of inputs, states and parameters, in this order; None of a state whose gradient is not wanted, and of a
    parameter that cannot be learned. `grad_states` is empty where there are no final states.
    """
    dtype, device = call.dtype, call.device
    step, step_stride = (shape[1:], stride[1:]) if call.sequence else (shape, stride)
    sources = []
    for source in recipe.sources:
        if source >= 0:
            sources.append(saved[source])
        elif source == -1:
            sources.append(_laid_out(grad_output, shape, stride, dtype, device))
        else:
            grad = grad_states[-2 - source] if grad_states else None
            # Without one, the kernel takes it to be zero.
            sources.append(None if grad is None else _laid_out(grad, step, step_stride, call.real, device))
    empty = call.empty_strided
    outputs: list[torch.Tensor | None]
    if recipe.like is not None:
        outputs = [call.empty_like(saved[recipe.like]) for _ in range(call.inputs)]
    else:
        outputs = [empty(shape, stride, dtype=dtype, device=device) for _ in range(call.inputs)]
    for is_wanted in wanted:
        outputs.append(empty(step, step_stride, dtype=call.real, device=device) if is_wanted else None)
    outputs += [call.empty_like(saved[place]) for place in recipe.parameters]
    recipe.plan(*sources, *outputs)
    if len(outputs) == call.inputs + call.states + len(call.parameters):
        return outputs
    by_place = dict(zip(recipe.targets, outputs))
    return [by_place.get(place) for place in range(call.inputs + call.states + len(call.parameters))]


def _laid_out(
    grad: torch.Tensor | None, shape: Any, stride: Any, dtype: torch.dtype, device: torch.device
) -> torch.Tensor:
    """A gradient in the layout of what it is of; zeros if nothing depends on that."""
    if grad is None:
        return torch.empty_strided(shape, stride, dtype=dtype, device=device).zero_()
    if grad.stride() != stride or grad.is_neg():
        return torch.empty_strided(shape, stride, dtype=dtype, device=device).copy_(grad)
    return grad
