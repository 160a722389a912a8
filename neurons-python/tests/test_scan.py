"""Scans over time: who may have them, and that they are what sequences are without them, up to rounding."""

import copy
import pickle

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import spiking_neurons as sn
from spiking_neurons import functional as F

LEAKY = "pub struct Unreset { param tau = 2.0 where tau > 1.0; charge = v + (x - v) / tau; reset none | hard; }"


def results(neuron, x, traced=False):
    """Output, final state and gradients of a sequence."""
    x = x.clone().requires_grad_()
    v = torch.zeros_like(x[0], dtype=torch.float32).requires_grad_()
    if traced:
        with FlopCounterMode(display=False):
            output, v_next = F.multi_step(neuron, x, [v])
    else:
        output, v_next = F.multi_step(neuron, x, [v])
    ((output * output).sum() + v_next.sum()).backward()
    return [tensor.detach() for tensor in (output, v_next, x.grad, v.grad)]


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_close_to_sequences_without(dtype, traced, device):
    keys = ["LeakyIntegrator", sn.declare(LEAKY).spec["declaration"]]
    # A part of a turn, several, and more neurons than are scanned.
    for key in keys:
        for shape in ((13, 5), (40, 33), (1000, 130), (40, 20_000)):
            x = torch.randn(shape, generator=torch.Generator().manual_seed(1)).to(device, dtype)
            plain, scan = sn.Neuron(key, tau=3.0), sn.Neuron(key, tau=3.0, scan=True)
            expected, actual, again = results(plain, x), results(scan, x, traced), results(scan, x, traced)
            for ours, theirs, same in zip(actual, expected, again):
                assert torch.equal(ours, same)
                if device.type == "cpu":
                    assert torch.equal(ours, theirs)
                tolerance = 0.01 if ours.dtype is torch.bfloat16 else 2e-5
                is_off = (ours - theirs).abs() > tolerance * theirs.abs().max()
                # A spike, or its gradient, may be another one where the potential is next to the threshold.
                assert is_off.float().mean() < (0.0 if key == "LeakyIntegrator" else 1e-4) + 1e-12


def test_what_cannot_be_scanned():
    with pytest.raises(ValueError, match=r"Lif: a scan needs .* `v_next \(hard reset\) = if spike \{ v_reset \} else \{ h \}` is not"):
        sn.Lif(scan=True, step_mode="m")
    with pytest.raises(ValueError, match="Qif: a scan needs a step that is affine in the states, and `h = "):
        F.qif_multi_step(torch.zeros(3, 2), scan=True)
    Unreset = sn.declare(LEAKY)
    assert Unreset(scan=True).scan
    with pytest.raises(ValueError, match="Unreset: a scan needs"):
        Unreset(scan=True, reset="hard")


def test_modules_keep_the_setting():
    layer = sn.LeakyIntegrator(scan=True, step_mode="m")
    assert layer.scan and "scan=True" in repr(layer)
    assert copy.deepcopy(layer).scan and pickle.loads(pickle.dumps(layer.neuron)).scan
    layer.tau = 4.0
    assert layer.scan and layer.neuron == sn.Neuron("LeakyIntegrator", tau=4.0, scan=True)
    assert layer.neuron != sn.Neuron("LeakyIntegrator", tau=4.0)
    layer.scan = False
    assert "scan" not in repr(layer)
    x = torch.randn(20, 3)
    assert torch.equal(layer(x), F.leaky_integrator_multi_step(x, tau=4.0, scan=True)[0])
