# Written by stubs.py from the specifications of the neurons.

from . import functional as functional, nn as nn, surrogate as surrogate
from ._neuron import SPECS as SPECS, Neuron as Neuron
from .nn import BatchNormNode as BatchNormNode, Node as Node, If as If, Lif as Lif, RestingLif as RestingLif, Plif as Plif, Klif as Klif, Glif as Glif, Ilif as Ilif, LeakyIntegrator as LeakyIntegrator, CubaLif as CubaLif, Alif as Alif, RefractoryLif as RefractoryLif, Qif as Qif, Eif as Eif, AdaptiveQif as AdaptiveQif, Izhikevich as Izhikevich, AdEx as AdEx, ResonateAndFire as ResonateAndFire
from ._bits import save_spikes_as_bits as save_spikes_as_bits
from ._core import release_memory as release_memory
from ._declare import DeclarationError as DeclarationError, DeclarationWarning as DeclarationWarning, declare as declare, declare_surrogate as declare_surrogate, redeclare as redeclare
from .spikingjelly import accelerate as accelerate

__version__: str
