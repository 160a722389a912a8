"""Neurons as operations of `torch.library`: for `torch.compile`, `torch.export`, fake tensors and dispatch modes.

Three for each neuron, whose names have a hash of its declaration, because caches of compiled code know operations by name only:
`spiking_neurons::lif_<hash>` (inference), `.._train` (also the states before every 8th step) and `.._backward`. Training always
computes steps again from these. In eager mode none of this is used: a plain `autograd.Function` costs a third.

States that start at their initial values are None. Operations return lists, because what they return varies: final states if `final`
is true, the gradients of initial states where `wanted` is.
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
from ._vmap import register_vmap

_LIBRARY = torch.library.Library("spiking_neurons", "DEF")

#: Settings of every operation, after its tensors.
_SETTINGS = "str reset, str surrogate, float[] surrogate_parameters, bool detach_reset, bool scan, bool sequence"


@functools.lru_cache(maxsize=1024)
def _neuron(
    name: str,
    values: tuple[Any, ...],
    reset: str,
    surrogate: str,
    parameters: tuple[float, ...],
    detach: bool,
    scan: bool,
) -> Neuron:
    spec, _ = find(name)
    names = [entry["name"] for entry in (*spec["params"], *spec["flags"])]
    given = surrogates.find(surrogate)(*parameters)
    return Neuron(name, reset, given, detach, scan=scan, **dict(zip(names, values)))


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
        #: Whether each state can be left out where it starts at its initial value.
        self.can_be_number = [not state["varies"] for state in spec["states"]]
        model = _core.Model(known, {}, None)
        options = {"surrogate": "ATan", "parameters": [], "detach_reset": False}
        forward = model.plan("lean_fptt", "f32", -1, **options)
        again = model.plan("lean_bptt", "f32", -1, **options)
        self.checkpoints = sum(role == "checkpoint" for role, _ in forward.outputs)
        self.count = len(self.inputs) + len(self.states) + len(self.arrays)
        #: Which of a call's tensors the backward pass reads again.
        self.reread = self._reread(again.inputs)

        values = [f"float {param['name']}_value" for param in spec["params"]]
        values += [f"bool {flag['name']}_value" for flag in spec["flags"]]
        states = [f"Tensor? {state}" for state in self.states]
        tensors = [f"Tensor {name}" for name in self.inputs] + states + [f"Tensor {name}" for name in self.arrays]
        given = [f"Tensor grad_{spec['output']}", *[f"Tensor? grad_{state}" for state in self.states]]
        saved = [f"Tensor? {name}" for name in (*self.inputs, *self.states, *self.arrays)]
        kept = [f"Tensor? {state}_checkpoints" for state in self.states[: self.checkpoints]]
        forward_arguments = [*tensors, *values, _SETTINGS, "bool final"]
        backward_arguments = [*given, *saved, *kept, *values, _SETTINGS, "bool[] wanted"]
        self.infer = self._define(base, forward_arguments, self._infer, self._fake_infer)
        self.train = self._define(f"{base}_train", forward_arguments, self._train, self._fake_train)
        self.back = self._define(f"{base}_backward", backward_arguments, self._backward, self._fake_backward)
        signals, state_kinds = ["signal"] * len(self.inputs), ["state"] * len(self.states)
        given_kinds = [*signals, *state_kinds, *["param"] * len(self.arrays)]
        kept_kinds = ["kept"] * self.checkpoints
        register_vmap(_LIBRARY, self.infer, given_kinds, self._infer_kinds)
        register_vmap(_LIBRARY, self.train, given_kinds, self._train_kinds)
        register_vmap(_LIBRARY, self.back, ["signal", *state_kinds, *given_kinds, *kept_kinds], self._backward_kinds)
        torch.library.register_autograd(
            f"spiking_neurons::{base}_train", self._autograd, setup_context=self.setup_context, lib=_LIBRARY
        )

    def _define(self, name: str, arguments: list[str], run: Callable, fake: Callable) -> Any:
        arguments = [_ascii(argument) for argument in arguments]
        tags = (torch.Tag.needs_exact_strides,) if hasattr(torch.Tag, "needs_exact_strides") else ()
        _LIBRARY.define(f"{name}({', '.join(arguments)}) -> Tensor[]", tags=tags)
        for key in ("CPU", "CUDA"):
            _LIBRARY.impl(name, run, key)
        torch.library.register_fake(f"spiking_neurons::{name}", fake, lib=_LIBRARY)
        return getattr(torch.ops.spiking_neurons, name).default

    def _reread(self, roles: list[tuple[str, int]]) -> list[bool]:
        states, parameters = len(self.inputs), len(self.inputs) + len(self.states)
        places = [place for place, param in enumerate(self.spec["params"]) if param["array"]]
        reread = [False] * self.count
        for role, index in roles:
            if role == "input":
                reread[index] = True
            elif role == "state":
                reread[states + index] = True
            elif role == "param":
                reread[parameters + places.index(index)] = True
        return reread

    def settings(self, neuron: Neuron, sequence: bool) -> tuple[Any, ...]:
        """What every operation is given after its tensors, but for the last argument: what it is to return."""
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
            neuron.scan,
            sequence,
        )

    def _call(self, x: torch.Tensor, settings: Sequence[Any]) -> Call:
        *values, reset, surrogate, parameters, detach, scan, sequence = settings
        neuron = _neuron(self.key, tuple(values), reset, surrogate, tuple(parameters), detach, scan)
        return calls(neuron, x.dtype, x.device, sequence)

    def _infer(self, *args: Any) -> list[torch.Tensor]:
        arrays, (*settings, final) = args[: self.count], args[self.count :]
        return list(self._call(arrays[0], settings).infer(arrays, final))

    def _train(self, *args: Any) -> list[torch.Tensor]:
        arrays, (*settings, final) = args[: self.count], args[self.count :]
        outputs, checkpoints = self._call(arrays[0], settings).forward_lean(arrays, final)
        if None in checkpoints:
            checkpoints = self._checkpoints(arrays[0], 0)
        return [*outputs, *checkpoints]

    def _backward(self, *args: Any) -> list[torch.Tensor]:
        given = 1 + len(self.states)
        (grad_output, *grad_states), arrays = args[:given], args[given : given + self.count]
        last = given + self.count + self.checkpoints
        checkpoints, (*settings, wanted) = args[given + self.count : last], args[last:]
        like = grad_output if arrays[0] is None else arrays[0]
        call = self._call(like, settings)
        recipe, pool = call.recipe(True), (*arrays, *checkpoints)
        saved = [pool[place] for place in recipe.saved]
        result = backward(call, recipe, like.shape, like.stride(), saved, grad_output, grad_states, wanted)
        return [grad for grad in result if grad is not None]

    def _fake_infer(self, *args: Any) -> list[torch.Tensor]:
        x, (*_, sequence, final) = args[0], args[self.count :]
        output = torch.empty_like(x)
        if not final:
            return [output]
        states = args[len(self.inputs) : len(self.inputs) + len(self.states)]
        return [output, *[_step(x, sequence) if state is None else torch.empty_like(state) for state in states]]

    def _fake_train(self, *args: Any) -> list[torch.Tensor]:
        x, (*_, sequence, _) = args[0], args[self.count :]
        kept = self._checkpoints(x, (x.shape[0] - 1) // CHUNK) if sequence else []
        return [*self._fake_infer(*args), *kept]

    def _fake_backward(self, *args: Any) -> list[torch.Tensor]:
        grad_output, arrays = args[0], args[1 + len(self.states) :][: self.count]
        *_, sequence, wanted = args
        like = grad_output if arrays[0] is None else arrays[0]
        signals = [torch.empty_like(like) for _ in self.inputs]
        states = [_step(like, sequence) for is_wanted in wanted if is_wanted]
        first = len(self.inputs) + len(self.states)
        learned = [torch.empty_like(arrays[first + self.arrays.index(name)]) for name in self.learnables]
        return [*signals, *states, *learned]

    def _checkpoints(self, x: torch.Tensor, rows: Any) -> list[torch.Tensor]:
        step = _step(x, True)
        shape, stride = (rows, *step.shape), (step.numel(), *step.stride())
        return [step.new_empty_strided(shape, stride) for _ in range(self.checkpoints)]

    def _infer_kinds(self, sequence: bool, final: bool) -> list[str]:
        return ["signal", *["state"] * (len(self.states) if final else 0)]

    def _train_kinds(self, sequence: bool, final: bool) -> list[str]:
        return self._infer_kinds(sequence, final) + ["kept"] * (self.checkpoints if sequence else 0)

    def _backward_kinds(self, sequence: bool, wanted: Sequence[bool]) -> list[str]:
        return ["signal"] * len(self.inputs) + ["state"] * sum(wanted) + ["param"] * len(self.learnables)

    def setup_context(self, ctx: Any, inputs: tuple[Any, ...], output: Sequence[torch.Tensor]) -> None:
        arrays, (*ctx.settings, ctx.final) = inputs[: self.count], inputs[self.count :]
        checkpoints = output[1 + (len(self.states) if ctx.final else 0) :]
        saved = [array if reread else None for array, reread in zip(arrays, self.reread)]
        # Of single steps there are no checkpoints.
        ctx.save_for_backward(*saved, *(checkpoints or [None] * self.checkpoints))
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*checkpoints)
        ctx.like = (arrays[0].shape, arrays[0].dtype, arrays[0].device)

    def _autograd(self, ctx: Any, grads: list[torch.Tensor | None]) -> tuple[Any, ...]:
        first = len(self.inputs)
        wanted = list(ctx.needs_input_grad[first : first + len(self.states)])
        # PyTorch takes an empty list for one of tensors, and expects one of gradients.
        rest = [[] if setting == [] else None for setting in (*ctx.settings, ctx.final)]
        return (*self.gradients(ctx, grads, wanted), *rest)

    def gradients(
        self, ctx: Any, grads: Sequence[torch.Tensor | None], wanted: list[bool]
    ) -> list[torch.Tensor | None]:
        """Of each tensor of a call, from those of what `train` returned; None of states whose gradient is not wanted."""
        grad_output, *grad_states = grads[: 1 + (len(self.states) if ctx.final else 0)]
        arrays = ctx.saved_tensors
        if grad_output is None:
            shape, dtype, device = ctx.like
            grad_output = torch.zeros(shape, dtype=dtype, device=device)
        if arrays[0] is None:
            # There is no input to take the layout from.
            grad_output = laid_out(grad_output, ctx.settings[-1])
        grad_states = grad_states or [None] * len(self.states)
        result = iter(Final.apply(self, (*ctx.settings, wanted), grad_output, *grad_states, *arrays))
        signals = [next(result) for _ in self.inputs]
        states = [next(result) if is_wanted else None for is_wanted in wanted]
        learned = dict(zip(self.learnables, result))
        return [*signals, *states, *[learned.get(name) for name in self.arrays]]


class Final(torch.autograd.Function):
    """A backward pass, which has no derivative itself."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        operation: Operation, settings: tuple[Any, ...], *arrays: torch.Tensor | None
    ) -> tuple[torch.Tensor, ...]:
        return tuple(operation.back(*arrays, *settings))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[torch.Tensor, ...]) -> None:
        ctx.name = inputs[0].name

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[Any, ...]:
        raise RuntimeError(f"{ctx.name}: surrogate gradients have no second derivative")


def layout(x: torch.Tensor, sequence: bool) -> torch.memory_format | None:
    """Contiguous, channels_last or neither: questions that have an answer for symbolic sizes too."""
    if x.is_contiguous():
        return torch.contiguous_format
    step = x.flatten(0, 1) if sequence and x.dim() == 5 else x
    if step.dim() == 4 and step.is_contiguous(memory_format=torch.channels_last):
        return torch.channels_last
    return None


def laid_out(x: torch.Tensor, sequence: bool) -> torch.Tensor:
    """As it is, if it has one of these layouts."""
    return x.contiguous() if layout(x, sequence) is None else x


def _step(x: torch.Tensor, sequence: bool) -> torch.Tensor:
    """An array for a state, in the layout of a step of `x`."""
    shape, stride = (x.shape[1:], x.stride()[1:]) if sequence else (x.shape, x.stride())
    return x.new_empty_strided(shape, stride, dtype=real(x.dtype))


#: By what identifies a neuron.
OPERATIONS = {name: Operation(name) for name in SPECS}


def define(key: str) -> None:
    """Adds the operations of a neuron that was declared at run time, by its declaration."""
    if key not in OPERATIONS:
        OPERATIONS[key] = Operation(key)
