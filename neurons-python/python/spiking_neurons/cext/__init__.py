"""The names of `spikingjelly.cext`, the CUDA extension of 2020, on the kernels of this package."""

from __future__ import annotations

import sys
import types

from . import neuron

__all__ = ["install", "neuron"]


def install() -> None:
    """Makes `import spikingjelly.cext.neuron` give `spiking_neurons.cext.neuron`, whether or not SpikingJelly is installed.

    A SpikingJelly that is installed keeps everything else.
    """
    try:
        import spikingjelly
    except ImportError:
        spikingjelly = types.ModuleType("spikingjelly")
        spikingjelly.__path__ = []
        sys.modules["spikingjelly"] = spikingjelly
    package = sys.modules[__name__]
    sys.modules["spikingjelly.cext"] = package
    sys.modules["spikingjelly.cext.neuron"] = neuron
    spikingjelly.cext = package
