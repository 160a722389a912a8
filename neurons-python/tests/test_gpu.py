"""What only a GPU has: the CPU's bits, streams, graphs, several devices."""

import re

import pytest
import torch
from conftest import drive, parameters, variants

import spiking_neurons as sn
from spiking_neurons import functional as F

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not torch.cuda.is_available(), reason="torch.cuda.is_available() is false: no GPU, or a PyTorch without CUDA"
    ),
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name, options", variants())
def test_bits_of_the_cpu(name, options, dtype):
    neuron = sn.Neuron(name, **options)
    real = torch.float64 if dtype == torch.float64 else torch.float32
    results = []
    for device in ("cpu", "cuda"):
        inputs = [x.requires_grad_() for x in drive(name, (19, 3, 50), dtype, device)]
        given = parameters(name, real, device, requires_grad=True)
        outputs = F.multi_step(neuron, inputs, None, given)
        (outputs[0].float().sum() + sum(state.sum() for state in outputs[1:])).backward()
        results.append([*outputs, *[x.grad for x in inputs], *[value.grad for value in given.values()]])
    # In float64, functions such as `exp` are CUDA's own.
    calls = re.search(r"\b(exp|expm1|exprel|ln|log1p|sin|cos|tanh|sigmoid)\(", neuron.spec["declaration"])
    tolerance = {"rtol": 1e-9, "atol": 1e-12} if dtype == torch.float64 and calls else {"rtol": 0.0, "atol": 0.0}
    for ours, theirs in zip(*results):
        torch.testing.assert_close(theirs.cpu(), ours.cpu(), equal_nan=True, **tolerance)


def test_side_streams():
    x = torch.randn(16, 1 << 18, device="cuda") * 2
    neuron = sn.Neuron("Plif")
    expected = F.multi_step(neuron, x)
    stream = torch.cuda.Stream()
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        # Results of work before it on the same stream: wrong if it ran on another one.
        torch.cuda._sleep(50_000_000)
        doubled = (x * 0.5) * 2
        outputs = F.multi_step(neuron, doubled)
    stream.synchronize()
    assert all(map(torch.equal, outputs, expected))


def test_graphs():
    layer = sn.Plif(step_mode="m").cuda()
    x = torch.randn(12, 64, device="cuda")
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            layer.reset()
            layer(x).sum().backward()
    torch.cuda.current_stream().wait_stream(stream)
    layer.w.grad = None
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        layer.reset()
        output = layer(x)
        output.sum().backward()
    for seed in range(3):
        x.copy_(torch.randn(12, 64, generator=torch.Generator().manual_seed(seed)) * 2)
        layer.w.grad.zero_()
        graph.replay()
        again = sn.Plif(step_mode="m").cuda()
        expected = again(x)
        expected.sum().backward()
        assert torch.equal(output, expected) and torch.equal(layer.w.grad, again.w.grad)


def test_inputs_of_one_device():
    with pytest.raises(ValueError, match="`v` is on cpu, cuda:0 expected"):
        F.multi_step(sn.Neuron("Lif"), torch.ones(2, 3, device="cuda:0"), [torch.zeros(3)])


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="there is one GPU only")
def test_another_device_than_the_current_one():
    x = torch.randn(9, 100)
    expected = F.multi_step(sn.Neuron("Plif"), x)
    torch.cuda.set_device(0)
    given = x.to("cuda:1").requires_grad_()
    w = torch.zeros(1, device="cuda:1", requires_grad=True)
    outputs = F.multi_step(sn.Neuron("Plif"), given, None, {"w": w})
    outputs[1].sum().backward()
    assert torch.cuda.current_device() == 0 and outputs[0].device.index == 1
    assert all(torch.equal(ours.cpu(), theirs) for ours, theirs in zip(outputs, expected))


def test_nothing_is_kept_between_calls():
    layer = sn.Lif(tau=2.0, step_mode="m")
    x = torch.randn(8, 1 << 20, device="cuda", requires_grad=True)
    for _ in range(2):
        layer.reset()
        layer(x).sum().backward()
    layer.reset()
    x.grad = None
    torch.cuda.synchronize()
    assert torch.cuda.memory_allocated() <= x.nbytes + (1 << 20)
    torch.cuda.reset_peak_memory_stats()
    layer(x)
    # Spikes, and two states: the first and the last. Nothing of the steps in between.
    assert torch.cuda.max_memory_allocated() <= 2 * x.nbytes + 2 * x[0].nbytes + (1 << 20)
