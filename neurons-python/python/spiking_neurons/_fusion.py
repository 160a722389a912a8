"""Which batch normalisations of a SpikingJelly model feed nothing but one layer of neurons, and can be computed by its kernels."""

from __future__ import annotations

import copy
from typing import Any, Iterator

import torch
import torch.fx
from spikingjelly.activation_based import base, layer
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from . import _batchnorm
from ._vmap import is_transformed

#: Of the paths of nodes the path of the normalisation before each; of the paths of other normalisations the reason; and of the paths of
#: convolutions before the former, which have a bias, the path of the normalisation.
Pairs = tuple[dict[str, str], dict[str, str], dict[str, str]]


class _Tracer(torch.fx.Tracer):
    """Looks into a model down to its layers."""

    def is_leaf_module(self, module: torch.nn.Module, name: str) -> bool:
        layers = (base.MemoryModule, base.StepModule, _BatchNorm, _ConvNd, torch.nn.MaxPool2d)
        return isinstance(module, layers) or super().is_leaf_module(module, name)


def pairs(model: torch.nn.Module, nodes: dict[str, torch.nn.Module]) -> Pairs:
    """The pairs among `nodes` and normalisations that hold in training and in evaluation."""
    norms = [path for path, module in model.named_modules() if isinstance(module, _BatchNorm)]
    try:
        # Tracing runs the model's own code on proxies, which it may keep: that of a copy.
        copied = copy.deepcopy(model, {id(tensor): tensor for tensor in _shared(model)})
        found, kept, convs = _pairs_of(copied, nodes, True)
        others, others_kept, others_convs = _pairs_of(copied, nodes, False)
    # Model code may raise anything when it is given proxies.
    except Exception as error:
        return {}, dict.fromkeys(norms, f"the model cannot be traced: {error}"), {}
    both = {node: path for node, path in found.items() if others.get(node) == path}
    reasons = {
        path: kept.get(path) or others_kept.get(path) or "training and evaluation differ"
        for path in norms
        if path not in both.values()
    }
    convs = {conv: path for conv, path in convs.items() if path in both.values() and others_convs.get(conv) == path}
    return both, reasons, convs


def _shared(model: torch.nn.Module) -> Iterator[torch.Tensor]:
    """What a copy of a model may have in common with it: parameters, and states, which are part of a graph and cannot be copied."""
    yield from model.parameters()
    for module in model.modules():
        for value in module.__dict__.values():
            nested = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else [value]
            yield from (tensor for tensor in nested if isinstance(tensor, torch.Tensor) and not tensor.is_leaf)


def _pairs_of(model: torch.nn.Module, nodes: dict[str, torch.nn.Module], training: bool) -> Pairs:
    for module in model.modules():
        # Not by `train`, which models may override.
        module.training = training
    with torch.random.fork_rng(devices=[]):
        graph = _Tracer().trace(model)
    modules = dict(model.named_modules())
    calls: dict[str, list[torch.fx.Node]] = {}
    for call in graph.nodes:
        if call.op == "call_module":
            calls.setdefault(call.target, []).append(call)
    places: dict[torch.nn.Module, list[str]] = {}
    for path, module in model.named_modules(remove_duplicate=False):
        places.setdefault(module, []).append(path)
    found, kept, convs = {}, {}, {}
    for path, norm in modules.items():
        if not isinstance(norm, _BatchNorm):
            continue
        # Every way to it: itself, and the containers that it is in.
        ways = dict.fromkeys(way for place in places[norm] for way in (place, caller(place, modules)))
        node, reason = _reader([call for way in ways for call in calls.get(way, [])], nodes)
        if len(places[norm]) > 1 and any(caller(place, modules) != place for place in places[norm]):
            kept[path] = "it is in several places"
        elif node is None:
            kept[path] = reason
        elif len(calls[node]) > 1:
            kept[path] = f"{node} is called {len(calls[node])} times"
        else:
            found[node] = path
            conv = _conv_before(path, calls, modules)
            if conv is not None and len(places[modules[conv]]) == 1:
                convs[conv] = path
    return found, kept, convs


def _conv_before(path: str, calls: dict[str, list[torch.fx.Node]], modules: dict[str, torch.nn.Module]) -> str | None:
    """The path of the convolution with a bias whose output goes to the normalisation and nowhere else."""
    called = caller(path, modules)
    if called != path:
        names = list(modules[called]._modules)
        before = f"{called}.{names[-2]}" if len(names) > 1 else None
        if before in calls:
            # The model calls it by itself as well.
            before = None
    else:
        (call,) = calls[path]
        (given,) = call.all_input_nodes or (None,)
        is_layer = given is not None and given.op == "call_module" and given.next is call and len(given.users) == 1
        before = given.target if is_layer and len(calls[given.target]) == 1 else None
    conv = modules.get(before)
    return before if isinstance(conv, _ConvNd) and conv.bias is not None else None


def caller(path: str, modules: dict[str, torch.nn.Module]) -> str:
    """The path of what the model calls for a normalisation: itself, or a container of which it is the last layer."""
    parent, _, name = path.rpartition(".")
    container = modules.get(parent)
    if isinstance(container, layer.SeqToANNContainer) and name == list(container._modules)[-1]:
        return parent
    return path


def _reader(calls: list[torch.fx.Node], nodes: dict[str, torch.nn.Module]) -> tuple[str | None, str]:
    """The only one of `nodes` that reads the only call, or the reason why there is none."""
    if len(calls) != 1:
        return None, f"the model calls it {len(calls)} times" if calls else "it is called inside a layer that is not traced"
    (call,) = calls
    users = list(call.users)
    if len(users) != 1 or users[0].op != "call_module" or len(users[0].all_input_nodes) != 1:
        return None, "its output is the input of more than one layer, or of an operation that is not a layer"
    if users[0].target not in nodes:
        return None, f"its output goes to {users[0].target}, which is not an accelerated node"
    if call.next is not users[0]:
        # That may change its input in place.
        return None, f"something else is computed between it and {users[0].target}"
    return users[0].target, ""


class Location:
    """Where some modules of a model were when they were linked: every step from its root down to them."""

    def __init__(self, modules: dict[str, torch.nn.Module], *paths: str) -> None:
        self._root = modules[""]
        self._places = []
        for path in paths:
            at = self._root
            for name in path.split("."):
                self._places.append((at, name, at._modules[name]))
                at = at._modules[name]

    def is_intact(self) -> bool:
        """Whether none of them, nor any module that contains them, has been replaced since."""
        return all(parent._modules.get(name) is module for parent, name, module in self._places)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        # The copy of a layer alone belongs to no model.
        if id(self._root) not in memo:
            return None
        made = memo[id(self)] = object.__new__(type(self))
        made.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return made


class Link(Location):
    """From a normalisation to the node that computes it, and where that is in the model."""

    def __init__(self, modules: dict[str, torch.nn.Module], path: str, container: torch.nn.Module | None) -> None:
        super().__init__(modules, path)
        self.node, self.container = modules[path], container

    def is_compiled(self) -> bool:
        """Whether the node, or the container of the normalisation, is compiled by itself."""
        return any(module is not None and module._compiled_call_impl is not None for module in (self.node, self.container))

    def holds(self, norm: Any) -> bool:
        """Whether the node is still where it was, has the step mode of `norm`, and neither has hooks."""
        node = self.node
        if node.__dict__.get("_norm") is not norm or not self.is_intact():
            return False
        mode = "m" if self.container is not None else getattr(norm, "step_mode", "s")
        if mode != node.step_mode or _batchnorm.has_hooks(norm) or _batchnorm.has_hooks(node):
            return False
        return self.container is None or not _batchnorm.has_hooks(self.container)


class FusedNorm:
    """A batch normalisation that the next node computes: it returns its input, and records for the node that it did."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.passes():
            return super().forward(_batchnorm.with_bias(self, x, getattr(self, "step_mode", "s") == "m"))
        self.__dict__["_passed"] = x
        return x

    def passes(self) -> bool:
        """Whether it leaves its work to the node."""
        link = self.__dict__.get("_link")
        return link is not None and not torch.compiler.is_compiling() and not is_transformed() and link.holds(self)


class FusedConv:
    """A convolution before a fused normalisation. In training it leaves out its bias, whose gradient is 0: the mean of the batch
    cancels it.
    """

    def _conv_forward(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        after = self.__dict__.get("_after")
        if after is None:
            return super()._conv_forward(x, weight, bias)
        leaves_out = bias is not None and after.cancels(self)
        after.note(self, leaves_out)
        if not leaves_out:
            return super()._conv_forward(x, weight, bias)
        return Cancelled.apply(super()._conv_forward(x, weight, None), bias)


class After(Location):
    """A convolution and the normalisation after it, and where both are in the model.

    Attributes:
        lacks_bias: whether the last output of the convolution lacks its bias. Whoever reads it does not reset it: when a checkpoint is
            computed again, it is read again.
    """

    def __init__(self, modules: dict[str, torch.nn.Module], conv_path: str, norm_path: str) -> None:
        super().__init__(modules, conv_path, norm_path)
        self.conv, self.norm = modules[conv_path], modules[norm_path]
        # Containers of the convolution whose output is what the normalisation is given.
        names = conv_path.split(".")
        paths = (".".join(names[:count]) for count in range(1, len(names)))
        self._containers = [modules[path] for path in paths if not norm_path.startswith(f"{path}.")]
        self.lacks_bias = False

    def cancels(self, conv: Any) -> bool:
        """Whether both are still there, the normalisation takes the mean of the batch, and no hook sees what it is given."""
        norm = self.norm
        # A replica has another convolution.
        if conv is not self.conv or not self.is_intact() or not isinstance(norm, FusedNorm) or not norm.passes():
            return False
        if norm._compiled_call_impl is not None or norm.__dict__["_link"].is_compiled():
            return False
        takes_mean = norm.training or norm.running_mean is None
        return takes_mean and not any(map(_batchnorm.has_hooks, (conv, *self._containers)))

    def note(self, conv: Any, leaves_out: bool) -> None:
        """What the convolution does in this call."""
        if conv is self.conv:
            self.lacks_bias = leaves_out

    def left_out(self) -> torch.Tensor | None:
        """The bias that the last output of the convolution lacks."""
        bias = self.conv.bias
        return bias.detach() if self.lacks_bias and bias is not None and self.is_intact() else None

    def is_intact(self) -> bool:
        """As of any location; and whether the convolution is still linked, not restored."""
        return self.conv.__dict__.get("_after") is self and super().is_intact()


class Cancelled(torch.autograd.Function):
    """`apply(y, bias)` is `y`, with a gradient of 0 for `bias`: optimizers and DDP expect one."""

    @staticmethod
    def forward(ctx: Any, y: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        ctx.shape, ctx.dtype, ctx.device = bias.shape, bias.dtype, bias.device
        return y.view_as(y)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        zeros = torch.zeros(ctx.shape, dtype=ctx.dtype, device=ctx.device) if ctx.needs_input_grad[1] else None
        return grad, zeros


def passed(norm: Any, x: torch.Tensor) -> bool:
    """Whether `x` is what a normalisation has just passed on.

    Raises:
        RuntimeError: it has passed on something else.
    """
    # The compiler can look an attribute up, but not a key of the dictionary.
    if norm is None or not hasattr(norm, "_passed"):
        return False
    given = norm.__dict__.pop("_passed")
    # At most, a container has reshaped it.
    if given.data_ptr() != x.data_ptr() or given.numel() != x.numel() or _version(given) != _version(x):
        raise RuntimeError(
            "a fused node received another tensor than its batch normalisation passed on; call "
            "spiking_neurons.spikingjelly.restore(model) before using parts of a model separately"
        )
    return True


def _version(tensor: torch.Tensor) -> int | None:
    # Those of inference mode have none.
    return None if tensor.is_inference() else tensor._version
