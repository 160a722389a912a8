"""Calls of kernels on tensors that are known to fit: which templates, and what is allocated for them.

Among the arrays `(*inputs, *states, *parameters)` of a call, a state may be None: it starts at its initial value, and there is no
array of it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Sequence

import torch

from . import _memory, _nvrtc

if TYPE_CHECKING:
    from ._core import Plan
    from ._neuron import Neuron

FORMATS = {torch.float32: "f32", torch.float64: "f64", torch.float16: "f16", torch.bfloat16: "bf16"}

#: The recompute pair saves the states before every 8th step but the first.
CHUNK = 8

#: The arrays of a call.
Arrays = Sequence["torch.Tensor | None"]


def real(dtype: torch.dtype) -> torch.dtype:
    """The format of states and arithmetic for data of a format."""
    return torch.float64 if dtype is torch.float64 else torch.float32


def is_same(a: float, b: float) -> bool:
    """Whether two states are the same: with the sign of zero, which results may have."""
    return a == b and math.copysign(1.0, a) == math.copysign(1.0, b)


class Call:
    """A neuron for data of one format on one device, in sequences or single steps. Plans are made when first needed."""

    __slots__ = (
        "neuron", "spec", "dtype", "format", "real", "device", "index", "sequence", "inputs", "states", "parameters",
        "initial", "can_be_number", "defaults", "empty_like", "empty_strided", "_plans", "_recipes", "_keep",
    )  # fmt: skip

    def __init__(self, neuron: Neuron, dtype: torch.dtype, device: torch.device, sequence: bool) -> None:
        if dtype not in FORMATS:
            raise TypeError(f"{neuron.name}: `x` is {dtype}; neurons take torch.float32, float64, float16 and bfloat16")
        if device.type not in ("cpu", "cuda"):
            raise ValueError(f"{neuron.name}: `x` is on {device}; neurons run on cpu and cuda")
        self.neuron, self.spec, self.sequence = neuron, neuron.spec, sequence
        self.dtype, self.format, self.real = dtype, FORMATS[dtype], real(dtype)
        self.device = device
        self.index = -1 if device.type == "cpu" else device.index
        if self.index >= 0:
            _nvrtc.load()
        #: Allocates the dense arrays that kernels write.
        memory = _memory if self.index < 0 else torch
        self.empty_like, self.empty_strided = memory.empty_like, memory.empty_strided
        self.inputs = len(self.spec["inputs"])
        self.states = len(self.spec["states"])
        # Of each parameter that may be a tensor, its place among all parameters.
        self.parameters = [place for place, param in enumerate(self.spec["params"]) if param["array"]]
        self.initial = neuron.initial_state
        #: Whether the array of each state can be left out where it starts at its initial value.
        self.can_be_number = [not state["varies"] for state in self.spec["states"]]
        #: Values of these parameters where no tensor is given.
        self.defaults = {}
        for place in self.parameters:
            name = self.spec["params"][place]["name"]
            # Kept for later calls, which may need gradients.
            with torch.inference_mode(False):
                self.defaults[name] = torch.full((1,), neuron.values[name], dtype=self.real, device=device)
        self._plans: dict[str, Plan] = {}
        self._recipes: dict[bool, Recipe] = {}
        self._keep: dict[tuple[int, ...], bool] = {}

    def plan(self, template: str) -> Plan:
        plan = self._plans.get(template)
        if plan is None:
            neuron = self.neuron
            plan = self._plans[template] = neuron._model.plan(
                template,
                self.format,
                self.index,
                surrogate=neuron.surrogate._known,
                parameters=list(neuron.surrogate.parameters),
                detach_reset=neuron.detach_reset,
                relaxed=neuron.relaxed and template in ("forward_with_grad", "fptt_with_grad"),
                scan=neuron.scan,
                sequence=self.sequence,
            )
        return plan

    def is_lean(self, x: torch.Tensor) -> bool:
        """Whether training computes steps again instead of keeping their derivatives: whichever moves fewer bytes, or can be scanned."""
        shape = x.shape
        lean = self._keep.get(shape)
        if lean is None:
            steps = shape[0] if self.sequence else 1
            keep = self.neuron._model.keep(self.format, steps, x.numel() // max(steps, 1))
            is_scanned = self.neuron.scan and self.sequence
            lean = self._keep[shape] = (keep == "lean" or is_scanned) and not self.neuron.relaxed
        return lean

    def infer(self, arrays: Arrays, final: bool = True) -> tuple[torch.Tensor, ...]:
        """Output and next states; without `final`, the output."""
        if self.neuron.relaxed:
            return self.forward_factors(arrays, final)[0]
        outputs = self._outputs(arrays, final)
        self.plan("fptt" if self.sequence else "forward")(*arrays, *outputs)
        return outputs if final else outputs[:1]

    def infer_with_v(self, arrays: Arrays) -> tuple[torch.Tensor, ...]:
        """Output, next states and the membrane potential after every step."""
        outputs = self._outputs(arrays)
        v_seq = self.empty_like(arrays[0], dtype=self.real)
        self.plan("fptt_with_v")(*arrays, *outputs, v_seq)
        return (*outputs, v_seq)

    def infer_packed(self, arrays: Arrays, final: bool = True) -> tuple[torch.Tensor, ...]:
        """Spikes of one bit, `[T, ceil(N / 32)]` words, and next states; without `final`, the spikes."""
        x = arrays[0]
        words = (math.prod(x.shape[1:]) + 31) // 32
        bits = torch.empty(x.shape[0], words, dtype=torch.int32, device=x.device)
        outputs = (bits, *(self._next_states(arrays) if final else (None,) * self.states))
        self.plan("packed_fptt")(*arrays, *outputs)
        return outputs if final else outputs[:1]

    def forward_lean(
        self, arrays: Arrays, final: bool = True
    ) -> tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor | None, ...]]:
        """Output and next states, without `final` the output; checkpoints."""
        outputs = self._outputs(arrays, final)
        if not self.sequence:
            self.plan("forward")(*arrays, *outputs)
            return outputs if final else outputs[:1], ()
        plan = self.plan("lean_fptt")
        rows = (arrays[0].shape[0] - 1) // CHUNK
        count = len(plan.outputs) - len(outputs)
        if rows <= 0:
            checkpoints: tuple[torch.Tensor | None, ...] = (None,) * count
        else:
            x = arrays[0]
            shape, stride = (rows, *x.shape[1:]), (math.prod(x.shape[1:]), *x.stride()[1:])
            empty = self.empty_strided
            checkpoints = tuple([empty(shape, stride, dtype=self.real, device=self.device) for _ in range(count)])
        plan(*arrays, *outputs, *checkpoints)
        return outputs if final else outputs[:1], checkpoints

    def forward_factors(
        self, arrays: Arrays, final: bool = True
    ) -> tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]:
        """Output and next states, without `final` the output; derivatives of every step."""
        outputs = self._outputs(arrays, final)
        plan = self.plan("fptt_with_grad" if self.sequence else "forward_with_grad")
        factors = tuple([self.empty_like(arrays[0], dtype=self.real) for _ in plan.outputs[len(outputs) :]])
        plan(*arrays, *outputs, *factors)
        return outputs if final else outputs[:1], factors

    def recipe(self, lean: bool) -> Recipe:
        """The backward pass of what `forward_lean` or `forward_factors` has done."""
        recipe = self._recipes.get(lean)
        if recipe is None:
            template = "lean_bptt" if lean else "bptt" if self.sequence else "backward"
            recipe = self._recipes[lean] = Recipe(self, self.plan(template))
        return recipe

    def _outputs(self, arrays: Arrays, final: bool = True) -> tuple[torch.Tensor | None, ...]:
        """Arrays for output and next states; without `final` there are none of these."""
        x = arrays[0]
        if not final:
            return (self.empty_like(x), *(None,) * self.states)
        if self.states == 1:
            return self.empty_like(x), self._next_state(x, arrays[self.inputs])
        return (self.empty_like(x), *self._next_states(arrays))

    def _next_states(self, arrays: Arrays) -> list[torch.Tensor]:
        x = arrays[0]
        return [self._next_state(x, state) for state in arrays[self.inputs : self.inputs + self.states]]

    def _next_state(self, x: torch.Tensor, state: torch.Tensor | None) -> torch.Tensor:
        """An array in the layout of a step."""
        if state is not None:
            return self.empty_like(state)
        shape, stride = x.shape, x.stride()
        if self.sequence:
            shape, stride = shape[1:], stride[1:]
        return self.empty_strided(shape, stride, dtype=self.real, device=self.device)


def calls(neuron: Neuron, dtype: torch.dtype, device: torch.device, sequence: bool) -> Call:
    """The neuron prepared for such data."""
    key = (dtype, device, sequence)
    call = neuron._calls.get(key)
    if call is None:
        call = neuron._calls[key] = Call(neuron, dtype, device, sequence)
    return call


class Recipe:
    """A backward pass: what it reads of what the forward pass was given and kept, and what it writes.

    Attributes:
        saved: places among `(*inputs, *states, *parameters, *kept)` of what has to be saved.
        sources: for each array that the plan reads, its place among what is saved; for the gradient of the output -1, for that of
            state number `i` `-2 - i`.
        targets: for each array that the plan writes, the place among `(*inputs, *states, *parameters)` of what it is the
            gradient of.
        parameters: places among what is saved of the parameters that the last of these are gradients of.
        like: the place among what is saved of an input, or None if inputs are not read again.
    """

    __slots__ = ("plan", "saved", "sources", "targets", "parameters", "like")

    def __init__(self, call: Call, plan: Plan) -> None:
        states = call.inputs
        parameters = states + call.states
        kept = parameters + len(call.parameters)
        place = {
            "input": lambda index: index,
            "state": lambda index: states + index,
            "param": lambda index: parameters + call.parameters.index(index),
            "checkpoint": lambda index: kept + index,
            "factor": lambda index: kept + index,
        }
        self.plan = plan
        saved: list[int] = []
        sources: list[int] = []
        for role, index in plan.inputs:
            if role == "grad_output":
                sources.append(-1)
            elif role == "grad_next_state":
                sources.append(-2 - index)
            else:
                sources.append(len(saved))
                saved.append(place[role](index))
        self.saved, self.sources = tuple(saved), tuple(sources)
        self.targets = tuple(place[role.removeprefix("grad_")](index) for role, index in plan.outputs)
        learned = [at for (role, _), at in zip(plan.outputs, self.targets) if role == "grad_param"]
        self.parameters = tuple(saved.index(at) for at in learned)
        self.like = saved.index(0) if 0 in saved else None
