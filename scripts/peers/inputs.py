"""Inputs that follow from their index alone, as in `neurons/examples/peer.rs`, and what has to come of them."""

import math
from typing import NamedTuple

import torch

# The neuron: leaky integrate-and-fire, hard reset, ATan.
TAU, V_THRESHOLD, V_RESET, ALPHA = 2.0, 1.0, 0.0, 2.0


def hash32(index: torch.Tensor) -> torch.Tensor:
    """Well mixed 32 bits of an index ("lowbias32" of Wellons' hash-prospector), as int64."""
    h = index & 0xFFFF_FFFF
    h = ((h ^ (h >> 16)) * 0x7FEB_352D) & 0xFFFF_FFFF
    h = ((h ^ (h >> 15)) * 0x846C_A68B) & 0xFFFF_FFFF
    return h ^ (h >> 16)


def _sequence(t, n, dtype, device, value) -> torch.Tensor:
    sequence = torch.empty(t, n, dtype=dtype, device=device)
    for step, row in enumerate(sequence):  # one at a time: indices take 8 bytes
        row.copy_(value(torch.arange(step * n, (step + 1) * n, device=device)))
    return sequence


def x_seq(t, n, dtype, device) -> torch.Tensor:
    """128 values in [-1, 3), multiples of 1/64: with tau = 2 all of the membrane potential's bits fit into a float32
    for 16 steps, so that its spikes do not depend on the order of operations."""
    return _sequence(t, n, dtype, device, lambda i: ((hash32(2 * i) >> 25).double() + 0.5) / 32 - 1)


def grad_spike_seq(t, n, dtype, device) -> torch.Tensor:
    """256 values in [-1, 1)."""
    return _sequence(t, n, dtype, device, lambda i: (hash32(2 * i + 1) >> 24).double() / 128 - 1)


class Expected(NamedTuple):
    """Of float64 arithmetic."""

    spike_seq: torch.Tensor
    grad_x_seq: torch.Tensor
    distance: torch.Tensor
    """How close each neuron comes to the threshold in any of its steps."""


def expected(x: torch.Tensor, grad_spike: torch.Tensor) -> Expected:
    """The equations written out, in float64 on the CPU: forward, and back-propagation through time."""
    x, grad_spike = x.double().cpu(), grad_spike.double().cpu()
    v = torch.zeros_like(x[0])
    h_seq, spike_seq = torch.empty_like(x), torch.empty_like(x)
    for t in range(len(x)):
        h_seq[t] = v + (x[t] - (v - V_RESET)) / TAU
        spike_seq[t] = h_seq[t] >= V_THRESHOLD
        v = torch.where(spike_seq[t] > 0, V_RESET, h_seq[t])
    u = h_seq - V_THRESHOLD
    surrogate = ALPHA / 2 / (1 + (math.pi / 2 * ALPHA * u) ** 2)
    grad_v, grad_x_seq = torch.zeros_like(v), torch.empty_like(x)
    for t in reversed(range(len(x))):
        # v = spike * v_reset + (1 - spike) * h, with a gradient through the spike too.
        grad_s = grad_spike[t] + grad_v * (V_RESET - h_seq[t])
        grad_h = grad_s * surrogate[t] + grad_v * (1 - spike_seq[t])
        grad_x_seq[t] = grad_h / TAU
        grad_v = grad_h * (1 - 1 / TAU)
    return Expected(spike_seq, grad_x_seq, u.abs().amin(0))
