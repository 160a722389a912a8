"""Neurons as functions with explicit states.

For every neuron of the zoo `<name>_step` and `<name>_multi_step` (`lif_step`, `cuba_lif_multi_step`), and for neurons as values
`step` and `multi_step`. Data is float32, float64, float16 or bfloat16; states and parameters are float32, of float64 data
float64. Any dense layout is taken as it is, channels_last included; what is not dense is copied.
"""

from __future__ import annotations

import functools
from typing import Any, Mapping, Sequence

import torch

from . import _bits, _core, _initial, _spikes, _traced, surrogate as surrogates
from ._autograd import Differentiable
from ._call import Arrays, Call, calls, is_same
from ._describe import documentation, signature
from ._neuron import SPECS, Neuron, key_of
from ._pooling import max_pool2d
from .surrogate import Surrogate


def step(
    neuron: Neuron,
    inputs: torch.Tensor | Sequence[torch.Tensor],
    states: Sequence[Any] | None = None,
    parameters: Mapping[str, torch.Tensor] | None = None,
    *,
    spike_dtype: torch.dtype | None = None,
) -> tuple[torch.Tensor, ...]:
    """One step: the output, usually spikes, and the next states.

    Args:
        neuron: with its parameters.
        inputs: a tensor of any shape for each input of the neuron, all of the same shape.
        states: for each state a tensor of that shape, a number, or None for the initial value. That follows from `parameters`, if it
            depends on these, and gradients flow through it.
        parameters: tensors for parameters that may differ between neurons, by name. They are broadcast to the shape of the states:
            `[1]`, `[C, 1, 1]` one a channel, `[C, H, W]` one a neuron. Other parameters have the neuron's values.
        spike_dtype: `torch.bool`, `torch.int8` or `torch.uint8` for spikes of one byte, which have no gradient.

    Returns:
        `(output, *states)`: the output of shape and format of the input; states are float32 (float64 of float64 data).
    """
    return run(neuron, inputs, states, parameters, False, spike_dtype=spike_dtype)


def multi_step(
    neuron: Neuron,
    inputs: torch.Tensor | Sequence[torch.Tensor],
    states: Sequence[Any] | None = None,
    parameters: Mapping[str, torch.Tensor] | None = None,
    *,
    spike_dtype: torch.dtype | None = None,
) -> tuple[torch.Tensor, ...]:
    """A sequence of steps: as `step`, with inputs and output of shape `[T, ...]`, `...` being the shape of the states."""
    return run(neuron, inputs, states, parameters, True, spike_dtype=spike_dtype)


def multi_step_with_v(
    neuron: Neuron,
    inputs: torch.Tensor | Sequence[torch.Tensor],
    states: Sequence[Any] | None = None,
    parameters: Mapping[str, torch.Tensor] | None = None,
) -> tuple[torch.Tensor, ...]:
    """As `multi_step`, and as the last result the membrane potential after every step, `[T, ...]`.

    It has a gradient, too. The kernel that records it has none, so if one is needed the sequence is computed step by step,
    which takes several times as long.
    """
    if isinstance(inputs, torch.Tensor):
        inputs = (inputs,)
    call, arrays = arrange(neuron, inputs, states, parameters, True)
    if not _needs_grad(arrays) and not neuron.relaxed:
        return call.infer_with_v(arrays)
    count, x = call.inputs, arrays[0]
    single = calls(neuron, x.dtype, x.device, False)
    held, rest = arrays[count : count + call.states], arrays[count + call.states :]
    outputs, potentials = [], []
    for t in range(x.shape[0]):
        inputs_t = [array[t] for array in arrays[:count]]
        output, *held = run_arranged(single, (*inputs_t, *held, *rest))
        outputs.append(output)
        potentials.append(held[0])
    return (torch.stack(outputs), *held, torch.stack(potentials))


def multi_step_packed(
    neuron: Neuron,
    inputs: torch.Tensor | Sequence[torch.Tensor],
    states: Sequence[Any] | None = None,
    parameters: Mapping[str, torch.Tensor] | None = None,
) -> tuple[torch.Tensor, ...]:
    """As `multi_step` without gradient, with spikes of one bit: `[T, ceil(N / 32)]` words of int32, `N` being the number of
    neurons. The spike of neuron `n`, in the order of memory, is bit `n % 32` of word `n // 32`.
    """
    if isinstance(inputs, torch.Tensor):
        inputs = (inputs,)
    with torch.no_grad():
        call, arrays = arrange(neuron, inputs, states, parameters, True)
        return call.infer_packed(arrays)


def run(
    neuron: Neuron,
    inputs: Any,
    states: Any,
    parameters: Any,
    sequence: bool,
    final: bool = True,
    spike_dtype: torch.dtype | None = None,
) -> tuple[torch.Tensor, ...]:
    """`step`, or `multi_step` of a sequence. Without `final`, the output alone: states after the call are not written."""
    if isinstance(inputs, torch.Tensor):
        inputs = (inputs,)
    if spike_dtype is not None:
        return _spikes.run(neuron, inputs, states, parameters, sequence, final, spike_dtype)
    if _traced.is_traced(inputs):
        return _traced.run(neuron, list(inputs), states, parameters, sequence, final)
    call, arrays = arrange(neuron, inputs, states, parameters, sequence)
    return run_arranged(call, arrays, final)


def run_arranged(
    call: Call, arrays: Arrays, final: bool = True, differentiable: Any = Differentiable.apply
) -> tuple[torch.Tensor, ...]:
    """Of arrays that fit, with a gradient if one is needed. Without `final`, the output alone."""
    if _needs_grad(arrays):
        outputs = differentiable(call, final, *arrays)
        if _bits.local.tracker is not None and call.spec["fires"] and not call.neuron.relaxed:
            _bits.local.tracker.note(outputs[0])
        return outputs
    return call.infer(arrays, final)


def _needs_grad(arrays: Arrays) -> bool:
    if torch.is_grad_enabled():
        for array in arrays:
            if array is not None and array.requires_grad:
                return True
    return False


def arrange(
    neuron: Neuron,
    inputs: torch.Tensor | Sequence[torch.Tensor],
    states: Sequence[Any] | None,
    parameters: Mapping[str, torch.Tensor] | None,
    sequence: bool,
) -> tuple[Call, tuple[torch.Tensor | None, ...]]:
    """The call, and its arrays: formats and layouts are those that kernels take. Shapes are checked by the call itself.

    A state that starts at its initial value is None.
    """
    x = inputs[0]
    call = calls(neuron, x.dtype, x.device, sequence)
    if len(inputs) != call.inputs:
        raise TypeError(
            f"{neuron.name}: {len(inputs)} inputs given, {call.inputs} expected ({', '.join(call.spec['inputs'])})"
        )
    given = _parameters(call, parameters)
    # Negation that has not been done yet is not in the memory.
    if x.is_neg():
        x = x.resolve_neg()
    if not x.is_contiguous() and not (_core.is_dense(x, sequence) and _commute(given)):
        x = x.contiguous()
    if call.inputs > 1:
        stride = x.stride()
        inputs = (x, *[_laid_out(other, x.shape, stride) for other in inputs[1:]])
    else:
        inputs = (x,)
    if sequence and x.dim() == 0:
        raise ValueError(f"{neuron.name}: `x` has no dimension for time, [T, ...] expected")
    return call, (*inputs, *_states(call, x, states, given), *given)


def _laid_out(other: torch.Tensor, shape: Any, stride: Any) -> torch.Tensor:
    """A copy in that layout, unless it has it. Of another shape it stays as it is: the call refuses it."""
    if other.is_neg():
        other = other.resolve_neg()
    if other.stride() == stride or other.shape != shape:
        return other
    return torch.empty_strided(shape, stride, dtype=other.dtype, device=other.device).copy_(other)


def _states(call: Call, x: torch.Tensor, states: Sequence[Any] | None, given: Sequence[torch.Tensor]) -> Arrays:
    if states is None:
        states = (None,) * call.states
    elif len(states) != call.states:
        names = ", ".join(state["name"] for state in call.spec["states"])
        raise TypeError(f"{call.neuron.name}: {len(states)} states given, {call.states} expected ({names})")
    arrays: list[torch.Tensor | None] = []
    contiguous, layout = x.is_contiguous(), None
    for place, state in enumerate(states):
        is_tensor = isinstance(state, torch.Tensor)
        if is_tensor:
            if contiguous and state.dtype is call.real and state.is_contiguous() and not state.is_neg():
                arrays.append(state)
                continue
        elif call.can_be_number[place] and (state is None or is_same(state, call.initial[place])):
            arrays.append(None)
            continue
        if layout is None:
            shape, stride = x.shape, x.stride()
            layout = (shape[1:], stride[1:]) if call.sequence else (shape, stride)
        if is_tensor:
            arrays.append(_laid_out(state.to(call.real), *layout))
            continue
        program = call.neuron._programs[place]
        if state is None and program is not None:
            computed = _initial.spread(program, given, x, layout[0])
            if computed is not None:
                arrays.append(_laid_out(computed, *layout))
                continue
        value = call.initial[place] if state is None else float(state)
        fresh = torch.empty_strided(*layout, dtype=call.real, device=x.device)
        arrays.append(fresh.fill_(value) if value else fresh.zero_())
    return arrays


def _parameters(call: Call, parameters: Mapping[str, torch.Tensor] | None) -> Sequence[torch.Tensor]:
    """Tensors for all parameters that may be tensors."""
    if not call.parameters:
        if parameters:
            _refuse(call, parameters)
        return ()
    given = dict(parameters or {})
    arrays = []
    for name, default in call.defaults.items():
        array = given.pop(name, default)
        if array.dtype is not call.real:
            array = array.to(call.real)
        arrays.append(array if array.is_contiguous() else array.contiguous())
    if given:
        _refuse(call, given)
    return arrays


def _refuse(call: Call, unknown: Mapping[str, Any]) -> None:
    known = ", ".join(call.defaults) or "none"
    names = ", ".join(repr(name) for name in unknown)
    raise TypeError(f"{call.neuron.name} has no parameter {names} that may be a tensor; those that may are {known}")


def _commute(parameters: Sequence[torch.Tensor]) -> bool:
    """Whether parameters can be distributed over neurons in any order of memory: one dimension at most varies in each."""
    return all(sum(size != 1 for size in array.shape) <= 1 for array in parameters)


def make(spec: dict[str, Any]) -> tuple[Any, Any]:
    """The functions of a neuron: `<name>_step` and `<name>_multi_step`."""
    key, prefix = key_of(spec), spec["module"].rstrip("_")
    arrays = [param["name"] for param in spec["params"] if param["array"]]
    states = [state["name"] for state in spec["states"]]

    def of(sequence: bool) -> Any:
        suffix = "_seq" if sequence else ""
        positional = [f"{name}{suffix}" for name in spec["inputs"]] + states

        def function(*args: Any, **options: Any) -> tuple[torch.Tensor, ...]:
            count = len(spec["inputs"])
            if not count <= len(args) <= count + len(states):
                raise TypeError(f"{function.__name__}: {', '.join(positional)} expected, {len(args)} arguments given")
            held = [*args[count:], *[options.pop(state, None) for state in states[len(args) - count :]]]
            tensors = {name: options.pop(name) for name in arrays if isinstance(options.get(name), torch.Tensor)}
            spike_dtype = options.pop("spike_dtype", None)
            neuron = (_compiled_neuron if torch.compiler.is_compiling() else _neuron)(key, options)
            return run(neuron, args[:count], held, tensors, sequence, spike_dtype=spike_dtype)

        function.__name__ = function.__qualname__ = f"{prefix}_{'multi_step' if sequence else 'step'}"
        function.__module__ = __name__
        function.__signature__ = signature(spec, sequence)
        function.__doc__ = documentation(spec, sequence)
        return function

    return of(False), of(True)


def _neuron(key: str, options: dict[str, Any]) -> Neuron:
    return _cached_neuron(key, tuple(options.items()))


@functools.lru_cache(maxsize=256)
def _cached_neuron(key: str, options: tuple[tuple[str, Any], ...]) -> Neuron:
    return Neuron(key, **dict(options))


def _compiled_neuron(key: str, options: dict[str, Any]) -> Neuron:
    """The same for the compiler, whose constants are strings and numbers."""
    surrogate = options.get("surrogate")
    if isinstance(surrogate, Surrogate):
        options = {**options, "surrogate": surrogate.name}
        return _constant_neuron(key, options, surrogate.parameters)
    return _constant_neuron(key, options, None)


def _constant_neuron(key: str, options: dict[str, Any], parameters: tuple[float, ...] | None) -> Neuron:
    if parameters is not None:
        options = {**options, "surrogate": getattr(surrogates, options["surrogate"])(*parameters)}
    return _neuron(key, options)


# As `torch.compiler.assume_constant_result` does, which would import the compiler: a second or more for all who do not use it.
_constant_neuron._dynamo_marked_constant = True


__all__ = ["max_pool2d", "step", "multi_step", "multi_step_with_v", "multi_step_packed"]
for _spec in SPECS.values():
    for _function in make(_spec):
        globals()[_function.__name__] = _function
        __all__.append(_function.__name__)
