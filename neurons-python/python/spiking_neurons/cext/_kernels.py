"""Calls of single kernels with the arguments of 2020; they know nothing of autograd."""

from __future__ import annotations

import functools
from typing import Any

import torch

from .. import surrogate as surrogates
from .._call import Call, calls
from .._neuron import Neuron

#: Numbers of surrogates: `grad_surrogate_function_index`.
surrogate_function_dict = {"ATan": 0, "Sigmoid": 1}


def surrogate_of(index: int, alpha: float) -> surrogates.Surrogate:
    """The surrogate of that number in 2020."""
    for name, known in surrogate_function_dict.items():
        if index == known:
            return getattr(surrogates, name)(alpha)
    raise ValueError(f"unknown surrogate index {index}: 0 is ATan, 1 is Sigmoid")


@functools.lru_cache(maxsize=256)
def neuron_of(
    name: str,
    v_threshold: float,
    v_reset: float | None,
    values: tuple,
    surrogate: Any = "ATan",
    detach_reset: bool = False,
) -> Neuron:
    """A neuron by the settings of 2020; `v_reset=None` is a soft reset."""
    return Neuron(
        name, surrogate=surrogate, detach_reset=detach_reset, v_threshold=v_threshold, v_reset=v_reset, **dict(values)
    )


def lif(reciprocal_tau: float = 0.01, detach_input: bool = False) -> dict[str, Any]:
    """The values of `Lif`: what was called `detach_input` leaves the input undivided by `tau`."""
    return {"tau": 1.0 / reciprocal_tau, "decay_input": not detach_input}


def call_of(neuron: Neuron, x: torch.Tensor, sequence: bool) -> Call:
    """Its kernels for data like `x`."""
    return calls(neuron, x.dtype, x.device, sequence)


def arrays_of(call: Call, x: torch.Tensor, states: tuple, parameters: tuple = ()) -> tuple[torch.Tensor, ...]:
    """What kernels read: contiguous, states in the format of the arithmetic."""
    parameters = parameters or tuple(call.defaults.values())
    contiguous = [state.detach().to(call.real).contiguous() for state in (*states, *parameters)]
    return (x.detach().contiguous(), *contiguous)


def forward(
    name: str,
    x: torch.Tensor,
    v: torch.Tensor,
    v_threshold: float,
    v_reset: float | None,
    sequence: bool,
    values: dict,
) -> tuple[torch.Tensor, ...]:
    """`spike, v_next`"""
    neuron = neuron_of(name, v_threshold, v_reset, tuple(values.items()))
    call = call_of(neuron, x, sequence)
    return call.infer(arrays_of(call, x, (v,)))


def forward_with_grad(
    name: str,
    x: torch.Tensor,
    v: torch.Tensor,
    v_threshold: float,
    v_reset: float | None,
    alpha: float,
    detach_reset: bool,
    index: int,
    sequence: bool,
    values: dict,
    parameters: tuple = (),
) -> tuple[torch.Tensor, ...]:
    """`spike, v_next, grad_s_to_h, grad_v_to_h`, and what else the neuron saves."""
    neuron = neuron_of(
        name, v_threshold, v_reset, tuple(values.items()), surrogate_of(index, alpha), bool(detach_reset)
    )
    call = call_of(neuron, x, sequence)
    outputs, factors = call.forward_factors(arrays_of(call, x, (v,), parameters))
    return (*outputs, *_by_name(call, factors))


def _by_name(call: Call, factors: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """`grad_s_to_h` and `grad_v_to_h` first, as in 2020, then what else the neuron saves."""
    names = call.spec["factors"]
    first = [names.index("grad_s_to_h"), names.index("grad_v_to_h")]
    rest = [place for place in range(len(names)) if place not in first]
    return tuple(factors[place] for place in (*first, *rest))


def backward(
    name: str,
    grad_spike: torch.Tensor,
    grad_v_next: torch.Tensor,
    factors: tuple,
    sequence: bool,
    values: dict,
    parameters: tuple = (),
) -> tuple[torch.Tensor, ...]:
    """`grad_x, grad_v`, and the gradients of learnable parameters."""
    # The effects of threshold, reset and surrogate are in what the forward pass has saved.
    call = call_of(neuron_of(name, 1.0, 0.0, tuple(values.items())), grad_spike, sequence)
    names = call.spec["factors"]
    if len(factors) != len(names):
        raise TypeError(f"{name}: {len(factors)} saved derivatives given, {len(names)} expected ({', '.join(names)})")
    first = ["grad_s_to_h", "grad_v_to_h"]
    order = [*first, *[known for known in names if known not in first]]
    given = dict(zip(order, factors))
    arrays = arrays_of(call, grad_spike, (grad_v_next, *[given[known] for known in names]), parameters)
    grad_x = torch.empty_like(arrays[0])
    outputs = (grad_x, torch.empty_like(arrays[1]), *[torch.empty_like(array) for array in arrays[2 + len(names) :]])
    call.plan("bptt" if sequence else "backward")(*arrays, *outputs)
    return outputs
