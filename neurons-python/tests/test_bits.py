"""Spikes as bits: the conversion, and what is kept for backward passes."""

import contextlib
import copy
import gc
import weakref

import pytest
import torch
from conftest import drive
from torch import nn

import spiking_neurons as sn
from spiking_neurons import _core

DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("count", [1, 31, 32, 33, 1000, 70001])
def test_there_and_back(dtype, count, device):
    spikes = (torch.rand(count) < 0.3).to(device, dtype)
    words = torch.full(((count + 31) // 32,), -1, dtype=torch.int32, device=device)
    _core.pack_bits(spikes, words)
    expected = spikes.bool().cpu().tolist()
    assert [bool(words[n // 32].item() >> n % 32 & 1) for n in range(min(count, 100))] == expected[:100]
    back = torch.full_like(spikes, 7.0)
    _core.unpack_bits(words, back)
    assert torch.equal(back, spikes)


def test_what_does_not_fit_is_refused():
    spikes, words = torch.zeros(64), torch.zeros(2, dtype=torch.int32)
    with pytest.raises(ValueError, match="`words` has 3 elements, 2 expected for 64 spikes"):
        _core.pack_bits(spikes, torch.zeros(3, dtype=torch.int32))
    with pytest.raises(TypeError, match="`words` is torch.float32, torch.int32 expected"):
        _core.unpack_bits(torch.zeros(2), spikes)
    with pytest.raises(TypeError, match="`spikes` is torch.int32"):
        _core.pack_bits(words, words)
    with pytest.raises(ValueError, match="`spikes` has gaps"):
        _core.pack_bits(torch.zeros(128)[::2], words)
    with pytest.raises(ValueError, match="share memory"):
        _core.pack_bits(spikes, spikes.view(torch.int32)[:2])
    _core.pack_bits(torch.empty(0), torch.empty(0, dtype=torch.int32))


class Network(nn.Module):
    """Convolutions and neurons, a shortcut, and a linear layer at the end."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.shortcut, self.last = nn.Conv2d(4, 4, 1), nn.Linear(4 * 8 * 8, 3)
        self.neurons = nn.ModuleList([sn.Lif(tau=1.5, step_mode="m") for _ in range(2)])

    def forward(self, x_seq):
        each = lambda layer, x: layer(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        spikes = self.neurons[0](each(self.first, x_seq) * 8)
        spikes = self.neurons[1](each(self.second, spikes) * 8 + each(self.shortcut, spikes))
        return self.last(spikes.flatten(2)).mean(0)


def gradients(network, x_seq, context):
    network = copy.deepcopy(network)
    with context as bits:
        loss = network(x_seq).square().sum()
    loss.backward()
    return [loss.detach(), *[parameter.grad for parameter in network.parameters()]], bits


@pytest.mark.parametrize("channels_last", [False, True])
def test_gradients_are_the_same(channels_last, device, monkeypatch):
    torch.manual_seed(0)
    network = Network().to(device)
    x_seq = torch.rand(5, 3, 2, 8, 8, device=device)
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
        x_seq = x_seq.flatten(0, 1).to(memory_format=torch.channels_last).unflatten(0, (5, 3))
    # Otherwise a GPU adds up the gradient of a convolution in another order each time.
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    plain, _ = gradients(network, x_seq, contextlib.nullcontext())
    packed, bits = gradients(network, x_seq, sn.save_spikes_as_bits())
    assert all(torch.equal(a, b) for a, b in zip(plain, packed, strict=True))
    # The first neuron's spikes are saved by two convolutions, once; the second's by the linear layer, if flattening makes no copy.
    spikes = 5 * 3 * 4 * 8 * 8
    assert bits.saved_bytes == (1 if channels_last else 2) * spikes * 4
    assert bits.packed_bytes * 32 == bits.saved_bytes


def test_spikes_are_freed():
    linear = nn.Linear(64, 8)
    with sn.save_spikes_as_bits():
        spikes = sn.Lif(step_mode="m")(torch.rand(4, 16, 64, requires_grad=True) * 4)
        output = linear(spikes)
    storage = weakref.ref(spikes.untyped_storage())
    del spikes
    gc.collect()
    assert storage() is None
    output.sum().backward()


def test_only_spikes_are_packed():
    x_seq = torch.rand(4, 64, requires_grad=True)
    weight = torch.rand(64, requires_grad=True)
    with sn.save_spikes_as_bits() as bits:
        spikes = sn.If(step_mode="m")(x_seq)
        (spikes + spikes) * weight  # saves sums of spikes
        sn.LeakyIntegrator(step_mode="m")(x_seq) * weight  # puts out no spikes
        sn.If(step_mode="m")(x_seq).mul_(0.5) * weight  # are no spikes any more
    assert bits.saved_bytes == 0
    (spikes * weight).sum().backward()  # outside of the context
    assert bits.saved_bytes == 0


def test_memory_that_is_used_again_is_not_mistaken():
    """Spikes of the same shape at the same address, after those before them were packed and freed."""
    weights = [torch.rand(512, requires_grad=True) for _ in range(20)]
    inputs = [drive("If", (4, 512), seed=seed)[0].requires_grad_() for seed in range(20)]
    with sn.save_spikes_as_bits() as bits:
        total = sum((sn.If(step_mode="m")(x) * w).sum() for x, w in zip(inputs, weights))
    total.backward()
    assert bits.saved_bytes == 20 * 4 * 512 * 4
    for x, w in zip(inputs, weights):
        assert torch.equal(w.grad, sn.If(step_mode="m")(x).sum(0))


def test_contexts_nest():
    x = torch.rand(4, 64, requires_grad=True)
    weight = torch.rand(64, requires_grad=True)
    with sn.save_spikes_as_bits() as outer:
        with sn.save_spikes_as_bits() as inner:
            sn.If(step_mode="m")(x) * weight
        assert (outer.saved_bytes, inner.saved_bytes) == (0, 4 * 64 * 4)
        sn.If(step_mode="m")(x) * weight
    assert outer.saved_bytes == 4 * 64 * 4


def test_relaxed_outputs_and_other_views_are_no_spikes():
    x_seq = torch.rand(4, 64, requires_grad=True)
    with sn.save_spikes_as_bits() as bits:
        sn.If(step_mode="m", relaxed=True)(x_seq) * torch.rand(64, requires_grad=True)
        spikes = sn.If(step_mode="m")(x_seq)
        spikes.detach().view(torch.float64) * torch.rand(32, dtype=torch.float64, requires_grad=True)
    assert bits.saved_bytes == 0
