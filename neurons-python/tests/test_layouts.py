"""Layouts of memory: dense ones are taken as they are, others are copied; results are the same."""

import pytest
import torch

import spiking_neurons as sn
from spiking_neurons import _core
from spiking_neurons import functional as F


def permuted(x, order):
    """The same values, with dimensions in that order of memory."""
    back = sorted(range(x.dim()), key=order.__getitem__)
    return x.permute(order).contiguous().permute(back)


LAYOUTS = {
    "channels_last": lambda x: permuted(x, (0, 1, 3, 4, 2)),
    "another order": lambda x: permuted(x, (0, 4, 2, 1, 3)),
    "batch outside time": lambda x: permuted(x, (1, 0, 2, 3, 4)),
    "gaps": lambda x: torch.stack([x, x], -1)[..., 0],
    "expanded": lambda x: x[:, :, :1].expand(-1, -1, 3, -1, -1),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "w", [torch.zeros(1), torch.rand(3, 1, 1), torch.rand(3, 4, 5)], ids=["one", "channel", "neuron"]
)
def test_layouts(layout, w, device):
    x = torch.randn(6, 2, 3, 4, 5, generator=torch.Generator().manual_seed(1)).to(device) * 3
    laid = LAYOUTS[layout](x)
    dense = layout in ("channels_last", "another order")
    assert _core.is_dense(laid, True) == dense
    neuron, w = sn.Neuron("Plif"), w.to(device)
    results = []
    for given in (laid, laid.contiguous()):
        given = given.detach().requires_grad_()
        weight = w.clone().requires_grad_()
        spike, v = F.multi_step(neuron, given, None, {"w": weight})
        again, v2 = F.multi_step(neuron, given, [v], {"w": weight})
        (again.sum() * 2 + v2.square().sum() + spike[0].sum()).backward()
        results.append((spike, v, again, v2, given.grad, weight.grad))
        if given.stride() == laid.stride() and dense and w.numel() <= 3:
            assert spike.stride() == laid.stride() and v.stride() == laid.stride()[1:]
    for ours, theirs in zip(results[0][:5], results[1][:5]):
        assert torch.equal(ours, theirs)
    # Added up in the order of memory.
    torch.testing.assert_close(results[0][5], results[1][5])


def test_gradients_in_any_layout():
    x = torch.randn(4, 2, 3, requires_grad=True)
    neuron = sn.Neuron("Lif", tau=2.0)
    grads = []
    for weight in (torch.ones(()).expand(4, 2, 3), torch.ones(4, 2, 3), torch.ones(3, 2, 4).permute(2, 1, 0)):
        spike, v = F.multi_step(neuron, x)
        grads.append(torch.autograd.grad([spike, v], x, [weight, torch.ones(3, 2).t()])[0])
    assert torch.equal(grads[0], grads[1]) and torch.equal(grads[0], grads[2])


def test_states_in_any_layout_and_format():
    x = torch.randn(4, 2, 3)
    neuron = sn.Neuron("Lif", tau=2.0)
    expected = F.multi_step(neuron, x, [torch.full((2, 3), 0.5)])
    for v in (
        0.5,
        torch.tensor(0.5).expand(2, 3),
        torch.full((3, 2), 0.5).t(),
        torch.full((2, 3), 0.5, dtype=torch.bfloat16),
    ):
        assert all(map(torch.equal, F.multi_step(neuron, x, [v]), expected))


def test_dimensions_of_one_and_none():
    neuron = sn.Neuron("Lif", tau=2.0)
    for shape in ((5,), (1, 1, 7), (3, 1), (2, 1, 3, 1)):
        x = torch.randn(shape) * 3
        output, v = F.multi_step(neuron, x)
        assert output.shape == x.shape and v.shape == x.shape[1:]
    spike, v = F.step(neuron, torch.tensor(3.0))
    assert spike.shape == v.shape == ()


def test_negation_that_is_not_done_yet():
    x = torch._neg_view(torch.ones(3, 2, requires_grad=True))
    output, _ = F.multi_step(sn.Neuron("LeakyIntegrator"), x)
    assert (output < 0).all()


def test_without_the_exchange_table():
    script = """
import torch, spiking_neurons as sn
x = torch.randn(5, 2, 3).requires_grad_()
layer = sn.Plif(step_mode="m")
layer(x).sum().backward()
assert x.grad.abs().sum() > 0
try:
    layer(torch.ones(5, 2, 3, dtype=torch.int32))
except TypeError as error:
    assert "torch.int32" in str(error)
"""
    import os
    import subprocess
    import sys

    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, "SPIKING_NEURONS_NO_DLPACK": "1"})
