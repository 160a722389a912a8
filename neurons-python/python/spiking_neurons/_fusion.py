"""Which batch normalisations of a SpikingJelly model feed nothing but one layer of neurons, and can be computed by its kernels."""

from __future__ import annotations

from typing import Any

import torch
import torch.fx
from spikingjelly.activation_based import base, layer
from torch.nn.modules.batchnorm import _BatchNorm


class _Tracer(torch.fx.Tracer):
    """Looks into a model down to its layers."""

    def is_leaf_module(self, module: torch.nn.Module, name: str) -> bool:
        layers = (base.MemoryModule, base.StepModule)
        return isinstance(module, layers) or super().is_leaf_module(module, name)


def pairs(model: torch.nn.Module, nodes: dict[str, torch.nn.Module]) -> tuple[dict[str, str], dict[str, str]]:
    """Of the paths of `nodes`, those whose input is a normalisation's output, each with the path of that; and the paths of all other
    normalisations, each with the reason.
    """
    norms = {path: module for path, module in model.named_modules() if isinstance(module, _BatchNorm)}
    try:
        graph = _Tracer().trace(model)
    # Whatever a model does to values that are not there: there is no list of exceptions.
    except Exception as error:
        return {}, dict.fromkeys(norms, f"the model cannot be traced: {error}")
    modules = dict(model.named_modules())
    calls: dict[str, list[torch.fx.Node]] = {}
    for call in graph.nodes:
        if call.op == "call_module":
            calls.setdefault(call.target, []).append(call)
    found, kept = {}, {}
    for path, norm in norms.items():
        caller = _caller(path, modules)
        node, reason = _reader(calls.get(caller, []), nodes)
        if node is None:
            kept[path] = reason
        elif len(calls[node]) > 1:
            kept[path] = f"{node} is called {len(calls[node])} times"
        elif has_hooks(norm):
            kept[path] = "it has hooks"
        else:
            found[node] = path
    return found, kept


def _caller(path: str, modules: dict[str, torch.nn.Module]) -> str:
    """The path of what the model calls for a normalisation: itself, or a container of which it is the last layer."""
    parent, _, name = path.rpartition(".")
    container = modules.get(parent)
    if isinstance(container, layer.SeqToANNContainer) and name == list(container._modules)[-1]:
        return parent
    return path


def _reader(calls: list[torch.fx.Node], nodes: dict[str, torch.nn.Module]) -> tuple[str | None, str]:
    """The only one of `nodes` that reads the only call, or the reason why there is none."""
    if len(calls) != 1:
        return None, f"the model calls it {len(calls)} times"
    users = list(calls[0].users)
    if len(users) != 1 or users[0].op != "call_module" or len(users[0].all_input_nodes) != 1:
        return None, "its output is the input of more than one layer, or of an operation that is not a layer"
    if users[0].target not in nodes:
        return None, f"its output goes to {users[0].target}, which is not an accelerated node"
    return users[0].target, ""


def has_hooks(module: Any) -> bool:
    """Whether somebody looks at what a module is given or returns."""
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    return any(hooks)
