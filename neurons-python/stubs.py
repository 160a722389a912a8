"""Writes the type stubs of what is made from specifications: `python neurons-python/stubs.py`."""

import inspect
import pathlib

from spiking_neurons import SPECS, _describe, surrogate

PACKAGE = pathlib.Path(__file__).parent / "python" / "spiking_neurons"
HEAD = "# Written by stubs.py from the specifications of the neurons.\n"


def shown(parameter: inspect.Parameter) -> str:
    default = "" if parameter.default is inspect.Parameter.empty else f" = {parameter.default!r}"
    return f"{parameter.name}: {parameter.annotation}{default}"


def arguments(parameters: list[inspect.Parameter], indent: str) -> str:
    lines, positional = [], False
    for at, parameter in enumerate(parameters):
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            positional = True
        elif positional:
            lines.append("/")
            positional = False
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and (
            at == 0 or parameters[at - 1].kind is not inspect.Parameter.KEYWORD_ONLY
        ):
            lines.append("*")
        lines.append(shown(parameter))
    return "".join(f"{indent}{line},\n" for line in lines)


def functional() -> str:
    text = f"""{HEAD}from typing import Mapping, Sequence

from torch import Tensor, dtype

from ._declare import Equations
from ._neuron import Neuron
from .surrogate import Surrogate

"""
    for name in ("step", "multi_step", "multi_step_with_v", "multi_step_packed"):
        options = "    *,\n    spike_dtype: dtype | None = None,\n" if name in ("step", "multi_step") else ""
        text += f"""def {name}(
    neuron: Neuron,
    inputs: Tensor | Sequence[Tensor],
    states: Sequence[Tensor | float | None] | None = None,
    parameters: Mapping[str, Tensor] | None = None,
{options}) -> tuple[Tensor, ...]: ...
"""
    for spec in SPECS.values():
        for sequence, name in ((False, "step"), (True, "multi_step")):
            parameters = list(_describe.signature(spec, sequence).parameters.values())
            text += f"def {spec['module'].rstrip('_')}_{name}(\n{arguments(parameters, '    ')}) -> tuple[Tensor, ...]: ...\n"
    return text


def modules() -> str:
    text = f"""{HEAD}from typing import Any, Callable, ClassVar

import torch
from torch import Tensor, dtype

from ._declare import Equations
from ._neuron import Neuron
from .surrogate import Surrogate

class Node(torch.nn.Module):
    spec: ClassVar[dict[str, Any]]
    neuron: Neuron
    step_mode: str
    store_v_seq: bool
    keep_state: bool
    spike_dtype: dtype | None
    v_seq: Tensor | None
    v: Any
    surrogate: Any
    detach_reset: bool
    relaxed: bool
    scan: bool
    def forward(self, *inputs: Tensor) -> Tensor: ...
    def __call__(self, *inputs: Tensor) -> Tensor: ...
    def normalised(self, norm: torch.nn.modules.batchnorm._BatchNorm, x: Tensor) -> Tensor: ...
    def reset(self) -> None: ...
    def detach(self) -> None: ...
    @property
    def states(self) -> dict[str, Tensor | float]: ...
    step: Callable[..., tuple[Tensor, ...]]
    multi_step: Callable[..., tuple[Tensor, ...]]
    @classmethod
    def with_learnable(cls, *parameters: str) -> type[Node]: ...
    @classmethod
    def with_array(cls, *parameters: str) -> type[Node]: ...
    @classmethod
    def equations(cls) -> Equations: ...
    @classmethod
    def derivatives(cls) -> Equations: ...
    @classmethod
    def cuda_source(cls, template: str | None = None, reset: str | None = None) -> str: ...
"""
    text += """
class BatchNormNode(torch.nn.Module):
    norm: torch.nn.modules.batchnorm._BatchNorm
    node: Node
    def __init__(self, norm: torch.nn.modules.batchnorm._BatchNorm, node: Node) -> None: ...
    def forward(self, x: Tensor) -> Tensor: ...
    def __call__(self, x: Tensor) -> Tensor: ...
    def reset(self) -> None: ...
    def detach(self) -> None: ...
"""
    for name, spec in SPECS.items():
        text += f"\nclass {name}(Node):\n"
        for param in spec["params"]:
            annotation = "torch.nn.Parameter" if param["array"] else "float"
            text += f"    {param['name']}: {annotation}\n"
        text += "".join(f"    {flag['name']}: bool\n" for flag in spec["flags"])
        text += "".join(f"    {state['name']}: Any\n" for state in spec["states"])
        parameters = list(_describe.module_signature(spec).parameters.values())
        text += f"    def __init__(\n        self,\n{arguments(parameters, '        ')}    ) -> None: ...\n"
    return text


def surrogates() -> str:
    text = f"""{HEAD}from typing import ClassVar

class Surrogate:
    name: ClassVar[str]
    defaults: ClassVar[dict[str, float]]
    key: ClassVar[str]
    parameters: tuple[float, ...]
    def __init__(self, *args: float, **named: float) -> None: ...
    def __hash__(self) -> int: ...
    @classmethod
    def equations(cls) -> dict[str, str]: ...

def of(given: object) -> Surrogate: ...
"""
    for name in surrogate.__all__[2:]:
        defaults = getattr(surrogate, name).defaults
        listed = "".join(f", {key}: float = {value!r}" for key, value in defaults.items())
        text += f"\nclass {name}(Surrogate):\n"
        text += "".join(f"    {key}: float\n" for key in defaults)
        text += f"    def __init__(self{listed}) -> None: ...\n"
    return text


def package() -> str:
    names = ", ".join(f"{name} as {name}" for name in ("BatchNormNode", "Node", *SPECS))
    return f"""{HEAD}
from . import functional as functional, nn as nn, surrogate as surrogate
from ._neuron import SPECS as SPECS, Neuron as Neuron
from .nn import {names}
from ._bits import save_spikes_as_bits as save_spikes_as_bits
from ._core import release_memory as release_memory
from ._declare import DeclarationError as DeclarationError, DeclarationWarning as DeclarationWarning, declare as declare, declare_surrogate as declare_surrogate, redeclare as redeclare
from .spikingjelly import accelerate as accelerate

__version__: str
"""


FILES = {"functional.pyi": functional, "nn.pyi": modules, "surrogate.pyi": surrogates, "__init__.pyi": package}

if __name__ == "__main__":
    for file, write in FILES.items():
        (PACKAGE / file).write_text(write())
