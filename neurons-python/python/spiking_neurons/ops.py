"""Neurons as operations of `torch.library`: for `torch.compile`, `torch.export`, fake tensors and dispatch modes.

Three for each neuron, whose names have a hash of its declaration, because caches of compiled code know operations by name only:
`spiking_neurons::lif_<hash>` (inference), `.._train` (also the states before every 8th step) and `.._backward`. Training always
computes steps again from these. In eager mode none of this is used: a plain `autograd.Function` costs a third.
"""

from __future__ import annotations

import functools
import hashlib
from typing import Any, Callable, Sequence

import torch

from . import _core, surrogate as surrogates
from ._autograd import backward
from ._call import CHUNK, Call, calls, real
from ._neuron import SPECS, Neuron, find

_LIBRARY = torch.library.Library("spiking_neurons", "DEF")

#: Settings of every operation, after its tensors.
_SETTINGS = "str reset, str surrogate, float[] surrogate_parameters, bool detach_reset, bool sequence"


@functools.lru_cache(maxsize=1024)
def _neuron(
    name: str, values: tuple[Any, ...], reset: str, surrogate: str, parameters: tuple[float, ...], detach: bool
) -> Neuron:
    spec, _ = find(name)
    names = [entry["name"] for entry in (*spec["params"], *spec["flags"])]
    given = surrogates.find(surrogate)(*parameters)
    return Neuron(name, reset, given, detach, **dict(zip(names, values)))


def _ascii(argument: str) -> str:
    """An argument in a schema, whose names PyTorch's parser reads in ASCII only."""
    return "".join(letter if letter.isascii() else f"_u{ord(letter):x}_" for letter in argument)


class Operation:
    """The operations of one neuron."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.spec, known = find(key)
        spec, self.name = self.spec, self.spec["name"]
        # A neuron of the zoo may be declared again by its own text.
        kind = "zoo" if key in SPECS else "declared"
        digest = hashlib.sha256(f"{_core.__version__} {kind} {spec['declaration']}".encode()).hexdigest()[:8]
        base = _ascii(f"{spec['module'].rstrip('_')}_{digest}")
        self.inputs = list(spec["inputs"])
        self.states = [state["name"] for state in spec["states"]]
        self.arrays = [param["name"] for param in spec["params"] if param["array"]]
        self.learnables = [param["name"] for param in spec["params"] if param["learnable"]]
        model = _core.Model(known, {}, None)
        options = {"surrogate": "ATan", "parameters": [], "detach_reset": False}
        forward = model.plan("lean_fptt", "f32", -1, **options)
        again = model.plan("lean_bptt", "f32", -1, **options)
        self.checkpoints = sum(role == "checkpoint" for role, _ in forward.outputs)
        #: Whether the backward pass reads inputs and states again.
        self.rereads = any(role == "input" for role, _ in again.inputs)
        self.count = len(self.inputs) + len(self.states) + len(self.arrays)

        values = [f"float {param['name']}_value" for param in spec["params"]]
        values += [f"bool {flag['name']}_value" for flag in spec["flags"]]
        tensors = [f"Tensor {tensor}" for tensor in (*self.inputs, *self.states, *self.arrays)]
        given = [f"Tensor grad_{spec['output']}", *[f"Tensor grad_{state}" for state in self.states]]
        kept = [f"Tensor {state}_checkpoints" for state in self.states[: self.checkpoints]]
        outputs = 1 + len(self.states)
        gradients = len(self.inputs) + len(self.states) + len(self.learnables)
        self.infer = self._define(base, [*tensors, *values], outputs, self._infer, self._fake_infer)
        self.train = self._define(
            f"{base}_train", [*tensors, *values], outputs + self.checkpoints, self._train, self._fake_train
        )
        self.back = self._define(
            f"{base}_backward", [*given, *tensors, *kept, *values], gradients, self._backward, self._fake_backward
        )
        signals = ["signal"] * len(self.inputs) + ["state"] * len(self.states)
        given_kinds = [*signals, *["param"] * len(self.arrays)]
        results = ["signal", *["state"] * len(self.states)]
        kept_kinds = ["kept"] * self.checkpoints
        self._register_vmap(self.infer, given_kinds, results)
        self._register_vmap(self.train, given_kinds, results + kept_kinds)
        self._register_vmap(self.back, results + given_kinds + kept_kinds, signals + ["param"] * len(self.learnables))
        torch.library.register_autograd(
            f"spiking_neurons::{base}_train", self._autograd, setup_context=self._setup_context, lib=_LIBRARY
        )

    def _define(self, name: str, arguments: list[str], results: int, run: Callable, fake: Callable) -> Any:
        result = ", ".join(["Tensor"] * results)
        arguments = [_ascii(argument) for argument in arguments]
        tags = (torch.Tag.needs_exact_strides,) if hasattr(torch.Tag, "needs_exact_strides") else ()
        _LIBRARY.define(f"{name}({', '.join([*arguments, _SETTINGS])}) -> ({result})", tags=tags)
        for key in ("CPU", "CUDA"):
            _LIBRARY.impl(name, run, key)
        torch.library.register_fake(f"spiking_neurons::{name}", fake, lib=_LIBRARY)
        return getattr(torch.ops.spiking_neurons, name).default

    def _register_vmap(self, operation: Any, given: list[str], results: list[str]) -> None:
        def rule(info: Any, in_dims: Any, *args: Any) -> Any:
            return _mapped(operation, given, results, info.batch_size, in_dims, args)

        torch.library.register_vmap(operation, rule, lib=_LIBRARY)

    def settings(self, neuron: Neuron, sequence: bool) -> tuple[Any, ...]:
        """What every operation is given after its tensors."""
        surrogate = neuron.surrogate
        values = [float(neuron.values[param["name"]]) for param in self.spec["params"]]
        flags = [neuron.values[flag["name"]] for flag in self.spec["flags"]]
        return (
            *values,
            *flags,
            neuron.reset,
            surrogate.key,
            list(surrogate.parameters),
            neuron.detach_reset,
            sequence,
        )

    def _call(self, x: torch.Tensor, settings: Sequence[Any]) -> Call:
        *values, reset, surrogate, parameters, detach, sequence = settings
        neuron = _neuron(self.key, tuple(values), reset, surrogate, tuple(parameters), detach)
        return calls(neuron, x.dtype, x.device, sequence)

    def _infer(self, *args: Any) -> tuple[torch.Tensor, ...]:
        arrays, settings = args[: self.count], args[self.count :]
        return self._call(arrays[0], settings).infer(arrays)

    def _train(self, *args: Any) -> tuple[torch.Tensor, ...]:
        arrays, settings = args[: self.count], args[self.count :]
        outputs, checkpoints = self._call(arrays[0], settings).forward_lean(arrays)
        if len(checkpoints) < self.checkpoints or None in checkpoints:
            state = arrays[len(self.inputs)]
            checkpoints = tuple(_no_rows(state) for _ in range(self.checkpoints))
        return (*outputs, *checkpoints)

    def _backward(self, *args: Any) -> tuple[torch.Tensor, ...]:
        given = 1 + len(self.states)
        grads, arrays = args[:given], args[given : given + self.count]
        checkpoints = args[given + self.count : given + self.count + self.checkpoints]
        call = self._call(arrays[0], args[given + self.count + self.checkpoints :])
        recipe, pool = call.recipe(True), (*arrays, *checkpoints)
        saved = [pool[place] for place in recipe.saved]
        like = arrays[0]
        wanted = [True] * len(self.states)
        result = backward(call, recipe, like.shape, like.stride(), saved, grads[0], grads[1:], wanted)
        return tuple(grad for grad in result if grad is not None)

    def _fake_infer(self, *args: Any) -> tuple[torch.Tensor, ...]:
        states = args[len(self.inputs) : len(self.inputs) + len(self.states)]
        return (torch.empty_like(args[0]), *[torch.empty_like(state) for state in states])

    def _fake_train(self, *args: Any) -> tuple[torch.Tensor, ...]:
        x, sequence = args[0], args[-1]
        states = args[len(self.inputs) : len(self.inputs) + self.checkpoints]
        rows = (x.shape[0] - 1) // CHUNK if sequence else 0
        kept = [state.new_empty_strided((rows, *state.shape), (state.numel(), *state.stride())) for state in states]
        return (*self._fake_infer(*args), *kept)

    def _fake_backward(self, *args: Any) -> tuple[torch.Tensor, ...]:
        arrays = args[1 + len(self.states) :][: self.count]
        places = [*range(len(self.inputs) + len(self.states))]
        first = len(places)
        places += [first + self.arrays.index(name) for name in self.learnables]
        return tuple(torch.empty_like(arrays[place]) for place in places)

    def _setup_context(self, ctx: Any, inputs: tuple[Any, ...], output: tuple[torch.Tensor, ...]) -> None:
        ctx.save_for_backward(*inputs[: self.count], *output[1 + len(self.states) :])
        ctx.settings = inputs[self.count :]

    def _autograd(self, ctx: Any, *grads: torch.Tensor) -> tuple[Any, ...]:
        given = grads[: 1 + len(self.states)]
        result = list(Final.apply(self, ctx.settings, *given, *ctx.saved_tensors))
        plain = len(self.inputs) + len(self.states)
        learned = dict(zip(self.learnables, result[plain:]))
        rest = [learned.get(name) for name in self.arrays]
        return (*result[:plain], *rest, *[None] * len(ctx.settings))


class Final(torch.autograd.Function):
    """A backward pass, which has no derivative itself."""

    generate_vmap_rule = True

    @staticmethod
    def forward(operation: Operation, settings: tuple[Any, ...], *arrays: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return operation.back(*arrays, *settings)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[torch.Tensor, ...]) -> None:
        ctx.name = inputs[0].name

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[Any, ...]:
        raise RuntimeError(f"{ctx.name}: surrogate gradients have no second derivative")


class Transformed(torch.autograd.Function):
    """Training under transforms of `torch.func`, which do not see the gradients that are registered for operations."""

    generate_vmap_rule = True

    @staticmethod
    def forward(operation: Operation, settings: tuple[Any, ...], *arrays: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return operation.train(*arrays, *settings)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[torch.Tensor, ...]) -> None:
        ctx.operation, settings, *arrays = inputs
        ctx.operation._setup_context(ctx, (*arrays, *settings), output)
        ctx.mark_non_differentiable(*output[1 + len(ctx.operation.states) :])

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[Any, ...]:
        operation: Operation = ctx.operation
        return (None, None, *operation._autograd(ctx, *grads)[: operation.count])


def _mapped(
    operation: Any, given: list[str], results: list[str], size: int, in_dims: Any, args: Any
) -> tuple[Any, Any]:
    """The operation on a batch of calls: as more neurons, or one by one if parameters have values or gradients of their own in each.

    `given` and `results` say of each tensor what it is: a signal, which has time as its first dimension in sequences, a state, a
    checkpoint, whose first dimension is always time, or a parameter.
    """
    tensors, settings = args[: len(given)], args[len(given) :]
    batched = [dim is not None for dim in in_dims[: len(given)]]
    if "param" in results or any(kind == "param" and has for kind, has in zip(given, batched)):
        parts = []
        for at in range(size):
            own = [tensor.select(dim, at) if has else tensor for tensor, dim, has in zip(tensors, in_dims, batched)]
            parts.append(operation(*[tensor.contiguous() for tensor in own], *settings))
        return tuple(torch.stack(part) for part in zip(*parts)), tuple(0 for _ in results)
    place = {"signal": 1 if settings[-1] else 0, "state": 0, "kept": 1}
    folded = []
    for tensor, kind, dim, has in zip(tensors, given, in_dims, batched):
        if kind != "param":
            at = place[kind]
            shape = (*tensor.shape[:at], size, *tensor.shape[at:])
            tensor = tensor.movedim(dim, at) if has else tensor.unsqueeze(at).expand(shape)
        folded.append(tensor.contiguous())
    return operation(*folded, *settings), tuple(place[kind] for kind in results)


def _no_rows(state: torch.Tensor) -> torch.Tensor:
    return torch.empty_strided(
        (0, *state.shape), (state.numel(), *state.stride()), dtype=state.dtype, device=state.device
    )


# Private: without it, transforms of `torch.func` fail with PyTorch's own message.
_transforms = getattr(getattr(torch._C, "_functorch", None), "peek_interpreter_stack", lambda: None)

#: By what identifies a neuron.
OPERATIONS = {name: Operation(name) for name in SPECS}


def define(key: str) -> None:
    """Adds the operations of a neuron that was declared at run time, by its declaration."""
    if key not in OPERATIONS:
        OPERATIONS[key] = Operation(key)


def multi_step(neuron: Neuron, inputs: Any, states: Any, parameters: Any, sequence: bool) -> tuple[torch.Tensor, ...]:
    """As `functional.multi_step` and `functional.step`, by operations of `torch.library`."""
    operation = OPERATIONS[neuron.key]
    if neuron.relaxed:
        raise ValueError(f"{neuron.name}: the relaxed model is for checks of gradients, and cannot be traced")
    x = inputs[0] = _laid_out(inputs[0], sequence)
    like = x[0] if sequence else x
    dtype = real(x.dtype)
    inputs = [x, *[_as(other, x) for other in inputs[1:]]]
    initial = neuron.initial_state
    states = states if states is not None else [None] * len(initial)
    held = []
    for state, first in zip(states, initial):
        if isinstance(state, torch.Tensor):
            held.append(_as(state.to(dtype), like))
        else:
            held.append(torch.full_like(like, first if state is None else state, dtype=dtype, requires_grad=False))
    given = []
    for name in operation.arrays:
        array = None if parameters is None else parameters.get(name)
        if array is None:
            array = torch.full((1,), neuron.values[name], dtype=dtype, device=x.device)
        given.append(array.to(dtype).contiguous())
    arrays = [*inputs, *held, *given]
    settings = operation.settings(neuron, sequence)
    if not torch.compiler.is_compiling() and _transforms() is not None:
        return Transformed.apply(operation, settings, *arrays)[: 1 + len(held)]
    if torch.is_grad_enabled() and any(array.requires_grad for array in arrays):
        return operation.train(*arrays, *settings)[: 1 + len(held)]
    return operation.infer(*arrays, *settings)


def _laid_out(x: torch.Tensor, sequence: bool) -> torch.Tensor:
    """Contiguous or channels_last, by questions that have an answer for symbolic sizes too."""
    if x.is_contiguous():
        return x
    step = x.flatten(0, 1) if sequence and x.dim() == 5 else x
    if step.dim() == 4 and step.is_contiguous(memory_format=torch.channels_last):
        return x
    return x.contiguous()


def _as(array: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    if array.shape != like.shape or array.stride() == like.stride():
        return array
    return torch.empty_like(like, dtype=array.dtype).copy_(array)
