"""Models of SpikingJelly (2.0 and 0.0.0.0.14) on the kernels of this package, without a change of the model.

`accelerate(model)` gives nodes that it knows another class, a subclass of theirs: parameters, `state_dict`, `v`, `reset_net`,
`set_step_mode` and `isinstance` stay as they are. A call that the kernels cannot do is theirs as before.

What differs: states are float32 for data in half precision, where theirs are in the data's format; results are within rounding,
since theirs divide by `tau` where these multiply by its reciprocal.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from spikingjelly.activation_based import base as _base
from spikingjelly.activation_based import layer as _layer
from spikingjelly.activation_based import neuron as _theirs
from torch.nn.modules.batchnorm import _BatchNorm

from . import _batchnorm, _fusion, functional
from . import surrogate as surrogates
from ._call import FORMATS
from ._neuron import Neuron
from ._pooling import MaxPool2d

#: Of each of their classes our neuron, and of its parameters the names of their attributes.
_KNOWN: dict[str, tuple[str, dict[str, str]]] = {
    "IFNode": ("If", {}),
    "LIFNode": ("Lif", {"tau": "tau", "decay_input": "decay_input"}),
    "ParametricLIFNode": ("Plif", {"decay_input": "decay_input"}),
    "QIFNode": ("Qif", {"tau": "tau", "v_rest": "v_rest", "v_c": "v_c", "a0": "a0"}),
    "EIFNode": ("Eif", {"tau": "tau", "v_rest": "v_rest", "theta_rh": "theta_rh", "delta_t": "delta_T"}),
    "IzhikevichNode": (
        "AdaptiveQif",
        {"tau": "tau", "v_rest": "v_rest", "v_c": "v_c", "a0": "a0", "a": "a", "b": "b", "tau_w": "tau_w"},
    ),
}  # fmt: skip

#: Whether this is 0.0.0.0.14 rather than 2.0.
_IS_OLD = hasattr(_theirs.BaseNode, "v_float_to_tensor")


class Accelerated:
    """What the classes of replaced nodes have in common."""

    _original: type
    _states = ("v",)
    #: Its surrogate, its settings, and what neuron they make it, or None.
    _accelerated: tuple[Any, tuple[Any, ...], Neuron | None] = (None, (), None)
    #: Whether the states after a sequence are kept for the next one.
    _keeps_states = True
    #: The batch normalisation that is computed here, if it was the last to be called.
    _norm: _BatchNorm | None = None

    def single_step_forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        neuron = None if args or kwargs or self.store_v_seq else _neuron(self, x, x.shape)
        norm = self._norm if _fusion.passed(self._norm, x) else None
        if neuron is None:
            x = x if norm is None else _batchnorm.normalised(norm, x, False)
            return super().single_step_forward(x, *args, **kwargs)
        if norm is None:
            spike, *states = functional.step(neuron, x, self._held(), self._learned())
        else:
            spike, *states = _batchnorm.run(neuron, norm, x, self._held(), self._learned(), False)
        self._keep(states)
        return spike

    def multi_step_forward(self, x_seq: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        neuron = None if args or kwargs else _neuron(self, x_seq, x_seq.shape[1:])
        held, learned, keeps = self._held(), self._learned(), self._keeps_states
        norm = self._norm if _fusion.passed(self._norm, x_seq) else None
        if norm is not None and (neuron is None or self.store_v_seq):
            x_seq, norm = _batchnorm.normalised(norm, x_seq, True), None
        if neuron is None:
            spike_seq, states = super().multi_step_forward(x_seq, *args, **kwargs), self._held()
        elif self.store_v_seq:
            spike_seq, *states, self.v_seq = functional.multi_step_with_v(neuron, x_seq, held, learned)
        elif norm is None:
            spike_seq, *states = functional.run(neuron, x_seq, held, learned, True, keeps)
        else:
            spike_seq, *states = _batchnorm.run(neuron, norm, x_seq, held, learned, True, keeps)
        self._keep(states if keeps else held)
        return spike_seq

    def _held(self) -> list[Any]:
        return [self._memories[name] for name in self._states]

    def _keep(self, states: list[torch.Tensor]) -> None:
        for name, state in zip(self._states, states):
            self._memories[name] = state

    def _learned(self) -> dict[str, torch.Tensor] | None:
        return None


class _Parametric:
    def _learned(self) -> dict[str, torch.Tensor] | None:
        # Theirs has no dimensions.
        return {"w": self.w.reshape(1)}


def _neuron(node: Any, x: torch.Tensor, shape: Any) -> Neuron | None:
    """Our neuron with the settings of a node, or None if the call is to be theirs."""
    known, settings, neuron = node._accelerated
    surrogate = _surrogate(node)
    if surrogate is not known or _settings(node, surrogate) != settings:
        neuron = _accelerate(node)
    if neuron is None or x.dtype not in FORMATS or x.numel() == 0 or x.device.type not in ("cpu", "cuda"):
        return None
    for name in node._states:
        state = node._memories[name]
        if isinstance(state, torch.Tensor) and (state.shape != shape or state.device != x.device):
            return None
    return neuron


def _accelerate(node: Any) -> Neuron | None:
    """Translates a node, and keeps the result until its settings change."""
    try:
        neuron = _translated(node)
    except (TypeError, ValueError):
        neuron = None
    surrogate = _surrogate(node)
    if type(surrogate) not in _SURROGATES:
        names = [name for name in vars(surrogate) if not name.startswith("_") and name != "training"]
        _SURROGATES[type(surrogate)] = names
    node.__dict__["_accelerated"] = (surrogate, _settings(node, surrogate), neuron)
    return neuron


#: For each class of theirs, its attributes that decide which neuron a node is.
_SETTINGS = {
    name: [*attributes.values(), "v_threshold", "v_reset", "detach_reset", *([] if _IS_OLD else ["_neuron_precision"])]
    for name, (_, attributes) in _KNOWN.items()
}


#: For each class of their surrogates, its attributes.
_SURROGATES: dict[type, list[str]] = {}


def _surrogate(node: Any) -> Any:
    # Their way to an attribute that is a module takes as long as a small tensor.
    surrogate = node._modules.get("surrogate_function")
    return node.surrogate_function if surrogate is None else surrogate


def _settings(node: Any, surrogate: Any) -> tuple[Any, ...]:
    """Everything that decides which neuron a node is, but for which surrogate it has."""
    own = [getattr(node, name) for name in _SETTINGS[node._original.__name__]]
    given = [getattr(surrogate, name) for name in _SURROGATES[type(surrogate)]]
    return (*own, *[value if isinstance(value, (int, float, str)) else None for value in given])


def _translated(node: Any) -> Neuron:
    """Our neuron.

    Raises:
        ValueError, TypeError: there is none, which says why.
    """
    name, attributes = _KNOWN[node._original.__name__]
    surrogate = node.surrogate_function
    if not type(surrogate).__module__.startswith("spikingjelly."):
        raise ValueError(f"its surrogate function is a {type(surrogate).__name__} that is not SpikingJelly's")
    if not getattr(surrogate, "spiking", True):
        raise ValueError("its surrogate function is not spiking")
    if getattr(node, "_neuron_precision", None) is not None:
        raise ValueError("it has a precision of its own")
    if _IS_OLD and type(surrogate).__name__ == "PiecewiseLeakyReLU":
        raise ValueError("in this version of SpikingJelly the gradient of PiecewiseLeakyReLU is another one")
    values = {ours: getattr(node, theirs) for ours, theirs in attributes.items()}
    return Neuron(
        name,
        surrogate=surrogates.of(surrogate),
        detach_reset=node.detach_reset,
        v_threshold=node.v_threshold,
        v_reset=node.v_reset,
        **values,
    )


def _declare(name: str) -> type:
    original = getattr(_theirs, name)
    parents = (_Parametric, Accelerated, original) if name == "ParametricLIFNode" else (Accelerated, original)
    body: dict[str, Any] = {
        "__module__": __name__,
        "__doc__": f"SpikingJelly's `{name}`, accelerated.",
        "_original": original,
    }
    if name == "IzhikevichNode":
        body["_states"] = ("v", "w")
    return type(name, parents, body)


_CLASSES = {getattr(_theirs, name): _declare(name) for name in _KNOWN}
globals().update({cls.__name__: cls for cls in _CLASSES.values()})


def _changed(original: type, bases: tuple[type, ...], what: str) -> type:
    """A class of a layer that computes the same in another way."""
    library = original.__module__.partition(".")[0]
    body = {"__module__": __name__, "__doc__": f"`{original.__name__}` of {library}, {what}.", "_original": original}
    return type(f"{library}_{original.__name__}", bases, body)


_NORMS = {
    original: _changed(original, (_fusion.FusedNorm, original), "computed by the node after it")
    for original in [
        *(getattr(torch.nn, name) for name in ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm")),
        *(getattr(_layer, name) for name in ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d")),
        *(getattr(_layer, f"ThresholdDependentBatchNorm{rank}d") for rank in (1, 2, 3)),
    ]
}
_CONVS = {
    original: _changed(original, (_fusion.FusedConv, original), "whose bias the normalisation after it cancels")
    for original in [getattr(library, f"Conv{rank}d") for library in (torch.nn, _layer) for rank in (1, 2, 3)]
}
# The method of theirs for sequences calls that of the class after it.
_POOLS = {
    original: _changed(original, bases, "which keeps a byte for each maximum")
    for original, bases in {
        torch.nn.MaxPool2d: (MaxPool2d,),
        _layer.MaxPool2d: (_layer.MaxPool2d, MaxPool2d),
    }.items()
}
_CHANGED = (*_NORMS.values(), *_CONVS.values(), *_POOLS.values())
globals().update({cls.__name__: cls for cls in _CHANGED})


@dataclasses.dataclass
class Report:
    """What `accelerate` did.

    Attributes:
        replaced: paths of nodes that run on the kernels of this package, each with its class.
        kept: paths of other nodes, each with the reason.
        fused: paths of nodes that compute a batch normalisation too, each with the path of that.
        kept_norms: paths of other batch normalisations, each with the reason, if some were to be fused.
        left_out: paths of convolutions that leave out their bias in training, each with the path of the normalisation that cancels it.
        pools: paths of maximum pooling layers that keep a byte for each maximum.
    """

    replaced: dict[str, str] = dataclasses.field(default_factory=dict)
    kept: dict[str, str] = dataclasses.field(default_factory=dict)
    fused: dict[str, str] = dataclasses.field(default_factory=dict)
    kept_norms: dict[str, str] = dataclasses.field(default_factory=dict)
    left_out: dict[str, str] = dataclasses.field(default_factory=dict)
    pools: list[str] = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{len(self.replaced)} nodes accelerated, {len(self.kept)} kept"]
        lines += [f"  {path or '(the model)'}: {reason}" for path, reason in self.kept.items()]
        if self.fused or self.kept_norms:
            lines.append(f"{len(self.fused)} batch normalisations fused, {len(self.kept_norms)} kept")
            lines += [f"  {path or '(the model)'}: {reason}" for path, reason in self.kept_norms.items()]
        if self.left_out:
            lines.append(f"biases left out in training: {len(self.left_out)}")
        if self.pools:
            lines.append(f"maximum pooling layers that keep a byte for each maximum: {len(self.pools)}")
        return "\n".join(lines)


def accelerate(model: torch.nn.Module, *, keep_states: bool = True, fuse_batch_norm: bool = False) -> Report:
    """Lets the nodes of a SpikingJelly model run on the kernels of this package, where they do the same.

    The model is changed in place, and works as before; `restore` undoes it. The report has what was replaced, and why
    other nodes were not. `MaxPool2d` layers become those of `spiking_neurons.nn`.

    Args:
        keep_states: whether nodes keep their states after a sequence, as theirs do. For models that call `reset_net` between
            sequences it makes no difference, and training takes less memory without.
        fuse_batch_norm: whether batch normalisations whose output goes to one node and nowhere else are computed by that node, in the
            same kernel; `BatchNormNode` says what that changes. A copy of the model is traced by `torch.fx` to find them, in training
            and in evaluation; flags of the model's own must not change what is called later. Parameters and buffers stay where
            they are. In training, a convolution before such a normalisation leaves out its bias, which the mean of the batch cancels:
            running statistics are as before, and the gradient of the bias is 0, where otherwise it is rounding around 0. The output of the
            convolution itself, if the model keeps it, lacks the bias. Layers that are replaced, hooks that are added and step modes that
            differ later undo it for those layers. Use a fused model as a whole, without sharing its layers with another model, and call
            `restore` before taking it apart.
    """
    report = Report()
    for path, module in model.named_modules():
        if isinstance(module, Accelerated):
            report.replaced[path] = type(module).__name__
        elif type(module) in _CLASSES:
            original = type(module)
            module.__class__ = _CLASSES[original]
            try:
                _translated(module)
            except (TypeError, ValueError) as error:
                module.__class__ = original
                report.kept[path] = str(error)
            else:
                # Not at the first call, which a compiler may trace.
                _accelerate(module)
                report.replaced[path] = original.__name__
        elif isinstance(module, _theirs.BaseNode):
            known = ", ".join(_KNOWN)
            report.kept[path] = f"a {type(module).__name__}; known are exactly {known}"
        elif isinstance(module, _base.MemoryModule) and type(module).__module__.startswith(_theirs.__name__):
            report.kept[path] = f"a {type(module).__name__}, which has no counterpart"
        elif type(module) in (*_POOLS, *_POOLS.values()):
            module.__class__ = _POOLS.get(type(module), type(module))
            report.pools.append(path)
        if isinstance(module, Accelerated):
            module.__dict__["_keeps_states"] = keep_states
    if fuse_batch_norm:
        _fuse(model, report)
    return report


def _fuse(model: torch.nn.Module, report: Report) -> None:
    """Lets accelerated nodes compute the normalisations before them."""
    modules = dict(model.named_modules())
    report.fused, report.kept_norms, convs = _fusion.pairs(model, {path: modules[path] for path in report.replaced})
    for path, norm_path in list(report.fused.items()):
        node, norm = modules[path], modules[norm_path]
        if type(norm) not in _NORMS and not isinstance(norm, _fusion.FusedNorm):
            del report.fused[path]
            known = ", ".join(dict.fromkeys(cls.__name__ for cls in _NORMS))
            report.kept_norms[norm_path] = f"a {type(norm).__name__}; known are exactly {known}"
            continue
        container = modules[_fusion.caller(norm_path, modules)]
        if any(map(_batchnorm.has_hooks, (norm, container, node))):
            del report.fused[path]
            report.kept_norms[norm_path] = "it or its node has hooks"
            continue
        norm.__class__ = _NORMS.get(type(norm), type(norm))
        # Not as a submodule: its parameters have their names already.
        node.__dict__["_norm"] = norm
        norm.__dict__["_link"] = _fusion.Link(modules, path, None if container is norm else container)
    for path, norm_path in convs.items():
        conv = modules[path]
        if type(conv) in (*_CONVS, *_CONVS.values()) and norm_path in report.fused.values():
            earlier = conv.__dict__.get("_after")
            if earlier is not None and earlier.norm is not modules[norm_path] and earlier.is_intact():
                # It is in another model as well, whose normalisation would not know which of the two has called it.
                del conv.__dict__["_after"]
                continue
            conv.__class__ = _CONVS.get(type(conv), type(conv))
            conv.__dict__["_after"] = modules[norm_path].__dict__["_before"] = _fusion.After(modules, path, norm_path)
            report.left_out[path] = norm_path


def restore(model: torch.nn.Module) -> None:
    """Undoes `accelerate`."""
    for module in model.modules():
        if isinstance(module, Accelerated):
            module.__class__ = module._original
            for name in ("_accelerated", "_keeps_states", "_norm"):
                module.__dict__.pop(name, None)
        elif type(module) in _CHANGED:
            module.__class__ = module._original
            for name in ("_link", "_passed", "_after", "_before"):
                module.__dict__.pop(name, None)
