"""Spiking neurons for PyTorch: fused kernels for forward and backward passes, on CPU and CUDA tensors.

`spiking_neurons.Lif(tau=2.0)` is a module, `spiking_neurons.functional.lif_multi_step` a function; both exist for every neuron in
`SPECS`. PyTorch is imported when one of these is first used, not with the package.
"""

from __future__ import annotations

import importlib
from typing import Any

from . import _core, surrogate
from ._core import release_memory
from ._declare import DeclarationError, DeclarationWarning, declare, declare_surrogate, redeclare
from ._neuron import SPECS, Neuron

__version__: str = _core.__version__
__all__ = [
    "SPECS", "BatchNormNode", "DeclarationError", "DeclarationWarning", "Neuron", "accelerate", "declare", "declare_surrogate",
    "functional", "nn", "redeclare", "release_memory", "save_spikes_as_bits", "surrogate", *SPECS,
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in ("functional", "nn", "ops", "cext"):
        return importlib.import_module(f"{__name__}.{name}")
    if name in ("BatchNormNode", "Node") or name in SPECS:
        return getattr(importlib.import_module(f"{__name__}.nn"), name)
    if name == "accelerate":
        return importlib.import_module(f"{__name__}.spikingjelly").accelerate
    if name == "save_spikes_as_bits":
        return importlib.import_module(f"{__name__}._bits").save_spikes_as_bits
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
