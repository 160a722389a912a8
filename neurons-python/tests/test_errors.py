"""Wrong use: exceptions that say what was expected, before anything is written."""

import pytest
import torch

import spiking_neurons as sn
from spiking_neurons import functional as F
from spiking_neurons._call import Call

LIF = sn.Neuron("Lif", tau=2.0)


def plan(template="fptt"):
    return Call(LIF, torch.float32, torch.device("cpu"), True).plan(template)


def buffers():
    return [torch.ones(4, 3), torch.zeros(3), torch.full((4, 3), 7.0), torch.full((3,), 7.0)]


@pytest.mark.parametrize(
    "place, tensor, error, message",
    [
        (0, torch.ones(4, 3, dtype=torch.float64), TypeError, "`x_seq` is torch.float64, torch.float32 expected"),
        (0, torch.ones(4, 3, dtype=torch.int64), TypeError, "`x_seq` is torch.int64"),
        (0, [1.0], TypeError, "`x_seq` is a list, torch.Tensor expected"),
        (0, torch.ones(()), ValueError, "no dimension for time"),
        (0, torch.ones(4, 6)[:, ::2], ValueError, r"`x_seq` has strides \[6, 2\]"),
        (0, torch.ones(3, 4).t(), ValueError, "time outermost"),
        (0, torch.ones(0, 3), ValueError, "expected T to be at least 1, found 0"),
        (1, torch.zeros(2), ValueError, r"`v` has shape \[2\], \[3\] expected"),
        (1, torch.zeros(3, dtype=torch.float16), TypeError, "`v` is torch.float16, torch.float32 expected"),
        (2, torch.ones(5, 3), ValueError, r"`spike_seq` has shape \[5, 3\], \[4, 3\] expected"),
        (3, torch.ones(6)[::2], ValueError, r"`v_next` has strides \[2\]"),
        (2, torch.empty(4, 3, device="meta"), ValueError, "`spike_seq` has no memory"),
        (0, torch.ones(4, 3).to_sparse(), ValueError, "`x_seq` has no memory"),
        (0, None, TypeError, "`x_seq` is a NoneType"),
    ],
)  # fmt: skip
def test_refused_tensors(place, tensor, error, message):
    tensors = buffers()
    tensors[place] = tensor
    with pytest.raises(error, match=message):
        plan()(*tensors)
    written = [tensor for at, tensor in enumerate(tensors) if at > 1 and at != place]
    assert all((tensor == 7.0).all() for tensor in written)


def test_refused_counts_and_overlaps():
    x, v, spike, v_next = buffers()
    with pytest.raises(TypeError, match="3 tensors given, 4 expected"):
        plan()(x, v, spike)
    with pytest.raises(ValueError, match="`v_next` is written, and shares memory with `v`"):
        plan()(x, v, spike, v)
    with pytest.raises(ValueError, match="`v_next` is written, and shares memory with `spike_seq`"):
        plan()(x, v, spike, spike[1])
    assert (spike == 7.0).all()


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: sn.Neuron("Lif", tau=0.5), ValueError, "`tau` is 0.5, but must satisfy `tau > 1.0`"),
        (lambda: sn.Neuron("Lif", taus=2.0), ValueError, "no parameter `taus`"),
        (lambda: sn.Neuron("Lif", tau=True), TypeError, "expected a number for `tau`"),
        (lambda: sn.Neuron("Lif", tau="2"), TypeError, "`tau` is a str"),
        (lambda: sn.Neuron("Lfi"), ValueError, "unknown neuron 'Lfi'"),
        (lambda: sn.Neuron("AdEx", reset="soft"), ValueError, "was not declared with reset `soft`"),
        (lambda: sn.Neuron("Lif", reset="gentle"), ValueError, "unknown reset `gentle`"),
        (lambda: sn.Neuron("Lif", reset="hard", v_reset=None), ValueError, "asks for a soft reset"),
        (lambda: sn.Neuron("Lif", surrogate="Tan"), ValueError, "unknown surrogate 'Tan'"),
        (lambda: sn.surrogate.ATan(1, 2), TypeError, "ATan has 1 parameters, 2 given"),
        (lambda: sn.surrogate.ATan(beta=2), TypeError, "no parameter 'beta'"),
        (lambda: F.multi_step(sn.Neuron("Lif", surrogate=sn.surrogate.ATan(-1.0)), torch.ones(2, 2)), ValueError, "alpha"),
        (lambda: F.multi_step(LIF, torch.ones(2, 2), [None, None]), TypeError, "2 states given, 1 expected"),
        (lambda: F.multi_step(LIF, [torch.ones(2, 2)] * 2), TypeError, "2 inputs given, 1 expected"),
        (lambda: F.multi_step(LIF, torch.ones(2, 2), None, {"tau": torch.ones(1)}), TypeError, "no parameter 'tau'"),
        (lambda: F.multi_step(LIF, torch.ones(2, 2, dtype=torch.int32)), TypeError, "neurons take torch.float32"),
        (lambda: F.multi_step(sn.Neuron("Plif"), torch.ones(2, 4, 3), None, {"w": torch.ones(4)}), ValueError, "does not broadcast"),
        (lambda: sn.Lif(step_mode="x"), ValueError, "'s' or 'm' expected"),
        (lambda: sn.Lif(tua=3.0), ValueError, "no parameter `tua`"),
    ],
)  # fmt: skip
def test_refused_settings(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_second_backward_and_second_derivative():
    x = torch.ones(3, 2, requires_grad=True)
    spike, v = F.multi_step(LIF, x)
    loss = spike.sum() + v.sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()
    spike, v = F.multi_step(LIF, x)
    with pytest.raises(RuntimeError, match="no second derivative"):
        torch.autograd.grad(v.sum(), x, create_graph=True)


def test_changes_between_forward_and_backward():
    w = torch.zeros(1, requires_grad=True)
    x = torch.ones(3, 2)
    for changed in (w, x):
        spike, v = F.multi_step(sn.Neuron("Plif"), x, None, {"w": w})
        with torch.no_grad():
            changed += 1.0
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            v.sum().backward()


def test_parameters_of_a_module_are_those_of_the_forward_pass():
    x = torch.full((3, 2), 0.5, requires_grad=True)
    layer = sn.Lif(tau=2.0, step_mode="m")
    layer(x)
    layer.v.sum().backward()
    expected = x.grad.clone()
    x.grad = None
    layer.reset()
    layer(x)
    layer.tau = 5.0
    layer.v.sum().backward()
    assert torch.equal(x.grad, expected)
