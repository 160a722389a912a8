"""Neurons as modules that keep their state: `Lif`, `If`, `Plif` and the rest of the zoo.

```python
layer = spiking_neurons.Lif(tau=2.0, step_mode="m")
spike_seq = layer(x_seq)  # [T, ...]
spike_seq.sum().backward()
layer.reset()
```
"""

from __future__ import annotations

import keyword
from typing import Any, ClassVar

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from . import _batchnorm, _core, _describe, _initial, _spikes, functional
from ._declare import Equations, declare, of_kind
from ._neuron import SPECS, Neuron, key_of
from ._pooling import MaxPool2d
from .surrogate import Surrogate


class Node(torch.nn.Module):
    """A layer of neurons; the base of the modules of the zoo, such as `Lif`.

    The state before the first step is a number, and a tensor of the shape of the input from then on. It is neither a parameter nor
    a buffer: `state_dict` does not have it, `.to` moves it, `reset` forgets it, and `detach` cuts the graph behind it. A state whose
    initial value depends on parameters of the module follows these: every sequence starts where their present values say, and the
    gradient flows back to them. Before the first step it is a tensor, of the shape to which these parameters broadcast.

    Attributes:
        neuron: the neuron with the values of its parameters.
        step_mode: `"s"`, where each call is a step, or `"m"`, where each is a sequence `[T, ...]`.
        store_v_seq: whether the membrane potential after every step of a sequence is kept in `v_seq`.
        v_seq: that of the last sequence, `[T, ...]`.
        keep_state: whether the state after a sequence is kept for the next one. Without it every sequence starts at the same state, as
            after `reset`, and training needs no memory for the last one. Single steps always keep theirs.
        spike_dtype: `torch.bool`, `torch.int8` or `torch.uint8` for spikes of one byte, which have no gradient; None for the format
            of the input.
    """

    spec: ClassVar[dict[str, Any]]
    neuron: Neuron
    store_v_seq: bool
    #: Also of modules that were pickled before it existed.
    keep_state: bool = True
    spike_dtype: torch.dtype | None = None
    v_seq: torch.Tensor | None

    def __init__(
        self,
        *,
        reset: str | None = None,
        surrogate: Surrogate | str = "ATan",
        detach_reset: bool = False,
        relaxed: bool = False,
        scan: bool = False,
        spike_dtype: torch.dtype | None = None,
        step_mode: str = "s",
        store_v_seq: bool = False,
        keep_state: bool = True,
        **values: Any,
    ) -> None:
        super().__init__()
        arrays = [param["name"] for param in self.spec["params"] if param["array"]]
        given = {name: values.pop(name) for name in arrays if name in values}
        # Initial states may depend on them.
        numbers = {name: value for name, value in given.items() if isinstance(value, (int, float))}
        self.neuron = Neuron(key_of(self.spec), reset, surrogate, detach_reset, relaxed, scan, **values, **numbers)
        for name in arrays:
            self.register_parameter(name, _parameter(given.get(name, self.neuron.values[name])))
        self._held: list[Any] = [None] * len(self.spec["states"])
        self.step_mode = step_mode
        self.store_v_seq = store_v_seq
        self.keep_state = keep_state
        if spike_dtype is not None:
            _spikes.check(self.neuron, spike_dtype)
        self.spike_dtype = spike_dtype
        self.v_seq = None

    @property
    def step_mode(self) -> str:
        return self._step_mode

    @step_mode.setter
    def step_mode(self, mode: str) -> None:
        if mode not in ("s", "m"):
            raise ValueError(f"step_mode is {mode!r}, 's' or 'm' expected")
        self._step_mode = mode

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Spikes, or what else the neuron gives, of the shape and format of the input."""
        sequence = self._step_mode == "m"
        keeps = self.keep_state or not sequence
        if self.store_v_seq and sequence:
            output, *held, self.v_seq = functional.multi_step_with_v(self.neuron, inputs, self._held, self._parameters)
            if self.spike_dtype is not None:
                output = _spikes.converted(self.neuron, output, self.spike_dtype)
        else:
            output, *held = functional.run(
                self.neuron, inputs, self._held, self._parameters, sequence, keeps, self.spike_dtype
            )
        if keeps:
            self._keep(held)
        return output

    def _keep(self, held: list[Any]) -> None:
        # Setting an attribute of a module takes as long as a small tensor, because it might be a parameter.
        self.__dict__["_held"] = held

    def normalised(self, norm: _BatchNorm, x: torch.Tensor) -> torch.Tensor:
        """As `self(norm(x))`, in one operation; see `BatchNormNode`."""
        sequence = self._step_mode == "m"
        if (self.store_v_seq and sequence) or self.spike_dtype is not None:
            return self(_batchnorm.normalised(norm, x, sequence))
        keeps = self.keep_state or not sequence
        output, *held = _batchnorm.run(self.neuron, norm, x, self._held, self._parameters, sequence, keeps)
        if keeps:
            self._keep(held)
        return output

    def reset(self) -> None:
        """Back to the state before the first step. Call it between independent sequences."""
        self._keep([None] * len(self._held))
        if self.v_seq is not None:
            self.v_seq = None

    def detach(self) -> None:
        """Cuts the graph behind the state: later backward passes stop here (truncated back-propagation through time)."""
        self._keep([state.detach() if isinstance(state, torch.Tensor) else state for state in self._held])

    @property
    def states(self) -> dict[str, Any]:
        """Every state by name: a tensor, or before the first step its initial value."""
        names = [state["name"] for state in self.spec["states"]]
        return {name: self._state_at(place) for place, name in enumerate(names)}

    def _state_at(self, place: int) -> Any:
        held, program = self._held[place], self.neuron._programs[place]
        if held is not None:
            return held
        if program is None:
            return self.neuron.initial_state[place]
        return _initial.of_parameters(program, self._parameters, self.spec)

    def extra_repr(self) -> str:
        neuron, arrays = self.neuron, self._parameters
        values = [f"{name}={value}" for name, value in neuron.values.items() if name not in arrays]
        values += [f"{name}={list(value.shape)}" for name, value in arrays.items() if value is not None]
        rest = [f"reset={neuron.reset!r}", f"surrogate={neuron.surrogate}", f"detach_reset={neuron.detach_reset}"]
        rest += ["relaxed=True"] if neuron.relaxed else []
        rest += ["scan=True"] if neuron.scan else []
        rest += [] if self.spike_dtype is None else [f"spike_dtype={self.spike_dtype}"]
        return ", ".join([*values, *rest, f"step_mode={self._step_mode!r}"])

    def _apply(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        super()._apply(fn, *args, **kwargs)
        # Moved, but not cast: the format of a state follows from that of the input.
        self._held = [_moved(state, fn) for state in self._held]
        self.v_seq = _moved(self.v_seq, fn)
        return self

    @classmethod
    def with_learnable(cls, *parameters: str) -> type[Node]:
        """This neuron with parameters that are learned: `Lif.with_learnable("tau", "v_threshold")`."""
        return of_kind(cls, "Learnable", "learnable", parameters)

    @classmethod
    def with_array(cls, *parameters: str) -> type[Node]:
        """This neuron with parameters that may have a value for each channel or neuron, without a gradient."""
        return of_kind(cls, "Varied", "array", parameters)

    @classmethod
    def equations(cls) -> Equations:
        """The equations of one step."""
        return Equations(dict(cls.spec["equations"]), _core.latex(cls.spec["declaration"])[0])

    @classmethod
    def derivatives(cls) -> Equations:
        """The derivatives that backward passes are made of."""
        return Equations(dict(cls.spec["derivatives"]), _core.latex(cls.spec["declaration"])[1])

    @classmethod
    def cuda_source(cls, template: str | None = None, reset: str | None = None) -> str:
        """The generated CUDA C++: the source of all kernels, or of that of one template (`"fptt"`, `"lean_bptt"`) and reset mode.

        It is complete and includes nothing; the macro `F32`, `F64`, `F16` or `BF16` selects the format of the data.

        Raises:
            ValueError: a template or reset mode that the neuron does not have.
        """
        if template is None and reset is not None:
            raise ValueError("`reset` is given without `template`: the source of all kernels has those of all reset modes")
        declaration, *_ = _core.Declaration.parse(cls.spec["declaration"])
        return declaration.cuda_source(template, reset)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Classes of neurons that were declared at run time are not in any module: they are made again from their text.
        # Subclasses are where they were written.
        if key_of(self.spec) in SPECS or type(self) is not declared.get(self.spec["declaration"]):
            return super().__reduce_ex__(protocol)
        return _blank, (self.spec["declaration"],), self.__getstate__()

    def __getstate__(self) -> dict[str, Any]:
        # Only leaves of the graph can be copied.
        state = self.__dict__.copy()
        state["_held"] = [held.detach() if isinstance(held, torch.Tensor) else held for held in self._held]
        state["v_seq"] = None if self.v_seq is None else self.v_seq.detach()
        return state

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any, **kwargs: Any) -> None:
        # A parameter of one value has shape [1] here and none in other libraries.
        for name, parameter in self._parameters.items():
            given = state_dict.get(prefix + name)
            if given is not None and parameter is not None and given.dim() == 0 and parameter.shape == (1,):
                state_dict[prefix + name] = given.reshape(1)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


def _blank(declaration: str) -> Node:
    """An instance without its state, which is set next."""
    cls = declare(declaration)
    return cls.__new__(cls)


def _parameter(value: Any) -> torch.nn.Parameter:
    if isinstance(value, torch.nn.Parameter):
        return value
    if isinstance(value, torch.Tensor):
        value = value.detach().clone()
        return torch.nn.Parameter(value.reshape(1) if value.dim() == 0 else value)
    return torch.nn.Parameter(torch.full((1,), float(value)))


def _moved(state: Any, fn: Any) -> Any:
    if not isinstance(state, torch.Tensor):
        return state
    moved = fn(state)
    return moved if moved.dtype is state.dtype else moved.to(state.dtype)


def _value(name: str) -> property:
    """A parameter that is one number, a flag or a setting: read from the neuron, written by replacing it."""

    def get(self: Node) -> Any:
        return self.neuron.values[name] if name in self.neuron.values else getattr(self.neuron, name)

    def put(self: Node, value: Any) -> None:
        self.neuron = self.neuron.replace(**{name: value})

    return property(get, put)


def _state(place: int) -> property:
    """A state: a tensor, or before the first step its initial value. Written as a tensor or a number; None is the initial value."""

    def get(self: Node) -> Any:
        return self._state_at(place)

    def put(self: Node, value: Any) -> None:
        self._held = [value if at == place else held for at, held in enumerate(self._held)]

    return property(get, put)


def check_names(spec: dict[str, Any]) -> None:
    """Refuses names that a module cannot have.

    Raises:
        ValueError: a keyword of Python, or an attribute or argument of every module.
    """
    taken = {*dir(Node), *vars(torch.nn.Module()), *Node.__annotations__, "_held", "_step_mode", "step", "multi_step"}
    taken |= _describe.MODULE_OPTIONS.keys()
    names = [entry["name"] for entry in (*spec["params"], *spec["flags"], *spec["states"])]
    for name in names:
        if name in taken:
            raise ValueError(f"{spec['name']}: `{name}` is an attribute of every module; another name expected")
    for name in (spec["name"], *names, *spec["inputs"]):
        if keyword.iskeyword(name):
            raise ValueError(f"{spec['name']}: `{name}` is a keyword of Python; another name expected")


#: Classes of neurons that were declared at run time, by their declaration.
declared: dict[str, type[Node]] = {}


def make(spec: dict[str, Any]) -> type[Node]:
    """The class of a neuron."""
    name = spec["name"]
    scalars = [param["name"] for param in spec["params"] if not param["array"]]
    scalars += [flag["name"] for flag in spec["flags"]]
    body: dict[str, Any] = {"__module__": __name__, "__doc__": _describe.module_documentation(spec), "spec": spec}
    body.update({value: _value(value) for value in (*scalars, "surrogate", "detach_reset", "relaxed", "scan")})
    body.update({state["name"]: _state(place) for place, state in enumerate(spec["states"])})
    body["step"], body["multi_step"] = map(staticmethod, functional.make(spec))
    cls = type(name, (Node,), body)
    cls.__signature__ = _describe.module_signature(spec)
    return cls


class BatchNormNode(torch.nn.Module):
    """Batch normalisation followed by neurons, in one operation: the normalised input is never stored.

    ```python
    layer = BatchNormNode(torch.nn.BatchNorm2d(64), Lif(tau=2.0, step_mode="m"))
    spike_seq = layer(conv(x_seq.flatten(0, 1)).unflatten(0, x_seq.shape[:2]))  # [T, B, 64, H, W]
    ```

    Results are those of the two modules one after the other, but for rounding; so are gradients, running statistics and `eval`. Time
    is part of the batch: in step mode `"m"`, the statistics of a channel are those of all `T` steps. Statistics of a
    `torch.nn.SyncBatchNorm` are synchronised. The two modules are called one after the other where one of them has hooks or a `forward`
    of its own, is lazy, stores `v_seq` or is relaxed; under `torch.compile`, transforms and dispatch modes it is two operations.

    On a GPU the neuron's kernels are compiled by NVRTC when they are first used, as those of `declare`.

    Attributes:
        norm: `torch.nn.BatchNorm1d`, `BatchNorm2d`, `BatchNorm3d`, `SyncBatchNorm`, or a class derived from these; for inputs
            `[B, C, ...]`, in step mode `"m"` `[T, B, C, ...]`.
        node: neurons with one input.

    Raises:
        TypeError: `norm` or `node` is of another type.
        ValueError: the neuron uses a name of the parameters of the normalisation, such as `bn_mean`.
    """

    def __init__(self, norm: _BatchNorm, node: Node) -> None:
        super().__init__()
        if not isinstance(norm, _BatchNorm):
            raise TypeError(f"`norm` is a {type(norm).__name__}; batch normalisation expected, such as torch.nn.BatchNorm2d")
        if not isinstance(node, Node) or len(node.spec["inputs"]) != 1:
            raise TypeError(f"`node` is a {type(node).__name__}; a module of neurons with one input expected, such as Lif")
        taken = _batchnorm.clash(node.spec)
        if taken is not None:
            raise ValueError(f"{node.spec['name']}: `{taken}` is a name of the normalisation's parameters; another name expected")
        self.norm, self.node = norm, node

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Spikes, or what else the neuron gives, of the shape and format of the input."""
        norm, node = self.norm, self.node
        if type(node).forward is Node.forward and _batchnorm.is_plain(norm) and not any(map(_batchnorm.has_hooks, (norm, node))):
            return node.normalised(norm, x)
        if node.step_mode == "s":
            return node(norm(x))
        return node(norm(x.flatten(0, 1)).unflatten(0, x.shape[:2]))

    def reset(self) -> None:
        """As `Node.reset`."""
        self.node.reset()

    def detach(self) -> None:
        """As `Node.detach`."""
        self.node.detach()


for _name, _spec in SPECS.items():
    globals()[_name] = make(_spec)

__all__ = ["BatchNormNode", "MaxPool2d", "Node", *SPECS]
