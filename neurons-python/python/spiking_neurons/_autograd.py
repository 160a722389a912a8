"""The differentiable form of a call."""

from __future__ import annotations

from typing import Any

import torch

from ._call import Call


class Differentiable(torch.autograd.Function):
    """`apply(call, *inputs, *states, *parameters)` gives the output and the next states.

    Keeps what the cheaper pair of templates needs. Written with `ctx` only, which costs half of what `setup_context` does.
    """

    @staticmethod
    def forward(ctx: Any, call: Call, *arrays: torch.Tensor) -> tuple[torch.Tensor, ...]:
        lean = call.is_lean(arrays[0])
        outputs, kept = call.forward_lean(arrays) if lean else call.forward_factors(arrays)
        recipe = call.recipe(lean)
        pool = arrays + kept
        # Of single steps there are no checkpoints.
        ctx.save_for_backward(*[pool[place] if place < len(pool) else None for place in recipe.saved])
        ctx.set_materialize_grads(False)
        ctx.call, ctx.recipe = call, recipe
        ctx.shape, ctx.stride = arrays[0].shape, arrays[0].stride()
        return outputs

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor | None, *grad_states: torch.Tensor | None) -> tuple[Any, ...]:
        call: Call = ctx.call
        if torch.is_grad_enabled():
            raise RuntimeError(
                f"{call.neuron.name}: surrogate gradients have no second derivative; call backward without create_graph=True"
            )
        return (None, *backward(call, ctx.recipe, ctx.shape, ctx.stride, ctx.saved_tensors, grad_output, grad_states))


def backward(call, recipe, shape, stride, saved, grad_output, grad_states) -> list[torch.Tensor | None]:
    """The gradients of inputs, states and parameters, in this order; None of a parameter that cannot be learned."""
    dtype, device = call.dtype, call.device
    step, step_stride = (shape[1:], stride[1:]) if call.sequence else (shape, stride)
    sources = []
    for source in recipe.sources:
        if source >= 0:
            sources.append(saved[source])
        elif source == -1:
            sources.append(_laid_out(grad_output, shape, stride, dtype, device))
        else:
            sources.append(_laid_out(grad_states[-2 - source], step, step_stride, call.real, device))
    if recipe.like is not None:
        inputs, states = [saved[place] for place in recipe.like]
        outputs = [torch.empty_like(inputs) for _ in range(call.inputs)]
        outputs += [torch.empty_like(states) for _ in range(call.states)]
    else:
        empty = torch.empty_strided
        outputs = [empty(shape, stride, dtype=dtype, device=device) for _ in range(call.inputs)]
        outputs += [empty(step, step_stride, dtype=call.real, device=device) for _ in range(call.states)]
    outputs += [torch.empty_like(saved[place]) for place in recipe.parameters]
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
