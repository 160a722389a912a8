"""Maximum pooling that keeps a byte for each maximum, against PyTorch's."""

import pickle

import pytest
import torch
from torch.nn.functional import max_pool2d as theirs

import spiking_neurons as sn
from spiking_neurons import nn
from spiking_neurons.functional import max_pool2d

#: Window, stride and padding: known sizes, any size, overlapping and with gaps.
WINDOWS = [
    (2, 2, 0),
    (3, 2, 1),
    (3, 1, 1),
    ((2, 3), None, (1, 0)),
    (4, (3, 5), 2),
    (1, 2, 0),
    ((16, 16), 7, 8),
    (17, 4, 3),
]
LAYOUTS = [torch.contiguous_format, torch.channels_last]
DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16]


def images(shape, dtype, device, layout=torch.contiguous_format, values=None):
    """Random numbers, or random ones of `values`, of which many are the same."""
    generator = torch.Generator().manual_seed(1)
    if values is None:
        x = torch.randn(shape, generator=generator, dtype=torch.float64)
    else:
        x = torch.tensor(values, dtype=torch.float64)[torch.randint(len(values), shape, generator=generator)]
    return x.to(dtype).to(device).contiguous(memory_format=layout).requires_grad_()


def results(function, x, *window):
    """The maxima, and the gradient for one that differs everywhere."""
    y = function(x, *window)
    weights = torch.arange(1, y.numel() + 1, dtype=torch.float64, device=y.device).reshape(y.shape) % 7 - 3
    (grad,) = torch.autograd.grad((y * weights.to(y.dtype)).sum(), x)
    return y.detach(), grad


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_as_pytorch(dtype, window, layout, device):
    # Channels for vectors, and for none; one channel, for which both layouts are the same.
    for channels in (16, 5, 1):
        x = images((3, channels, 19, 22), dtype, device, layout)
        (y, grad), (expected, expected_grad) = results(max_pool2d, x, *window), results(theirs, x, *window)
        assert torch.equal(y, expected)
        assert y.is_contiguous(memory_format=layout) and grad.is_contiguous(memory_format=layout)
        # A few small integers add up without rounding.
        assert torch.equal(grad, expected_grad)


@pytest.mark.parametrize("values", [[0.0, 1.0], [float("-inf"), 0.0], [float("nan"), float("inf"), -1.0]], ids=str)
@pytest.mark.parametrize("window", WINDOWS[:3], ids=str)
def test_equal_values_infinities_and_nan(window, values, device):
    # On a GPU and in channels_last, PyTorch takes the first value of the image for the maximum of a window of minus infinities.
    expected = results(theirs, images((2, 8, 9, 9), torch.float32, device, values=values), *window)
    for layout in LAYOUTS:
        x = images((2, 8, 9, 9), torch.float32, device, layout, values)
        for own, other in zip(results(max_pool2d, x, *window), expected):
            assert torch.equal(own.nan_to_num(7.0), other.nan_to_num(7.0))


def test_memory_that_is_not_aligned_for_vectors(device):
    base = images((2 * 8 * 6 * 6 + 1,), torch.float32, device)
    x = base[1:].view(2, 8, 6, 6)
    for own, other in zip(results(max_pool2d, x, 2), results(theirs, x, 2)):
        assert torch.equal(own, other)


def test_views_and_gradients_in_other_layouts(device):
    x = images((4, 8, 12, 12), torch.float32, device)
    for view in (x[:, ::2], x.transpose(2, 3), x[1], x.unsqueeze(0).flatten(0, 1)):
        y, expected = max_pool2d(view, 2), theirs(view, 2)
        assert torch.equal(y, expected)
        grads = [torch.autograd.grad(out.transpose(-1, -2).sum(-1).square().sum(), x)[0] for out in (y, expected)]
        assert torch.equal(*grads)


def test_what_is_kept(device):
    """A byte for each maximum on a GPU, and nothing else."""
    kept = []
    x = images((2, 8, 8, 8), torch.float32, device)
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor) or tensor, lambda tensor: tensor):
        y = max_pool2d(x, 2)
    if device.type == "cuda":
        assert [(tensor.dtype, tensor.shape) for tensor in kept] == [(torch.uint8, y.shape)]
        with pytest.raises(RuntimeError, match="once_differentiable"):
            (grad,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
            grad.sum().backward()
    else:
        assert any(tensor.dtype is torch.int64 for tensor in kept)


def test_same_bits_every_time(device):
    x = images((8, 64, 28, 28), torch.bfloat16, device, torch.channels_last)
    first, second = results(max_pool2d, x, 3, 2, 1), results(max_pool2d, x, 3, 2, 1)
    assert all(torch.equal(own, other) for own, other in zip(first, second))


def test_maxima_of_spikes_are_spikes(device):
    conv = torch.nn.Conv2d(8, 8, 3).to(device)
    neuron, x = sn.Neuron("Lif"), 40 * torch.randn(3, 2, 8, 16, 16, device=device)
    x.requires_grad_()

    def step():
        (spikes, _) = sn.functional.multi_step(neuron, x)
        return conv(max_pool2d(spikes.flatten(0, 1), 2)).square().sum()

    expected = torch.autograd.grad(step(), [x, *conv.parameters()])
    with sn.save_spikes_as_bits() as saved:
        loss = step()
    assert saved.packed_bytes > 0
    # The maxima are of a quarter of the spikes, which PyTorch's pooling keeps as well.
    assert saved.saved_bytes == 3 * 2 * 8 * 8 * 8 * 4 * (1 if device.type == "cuda" else 5)
    for own, other in zip(torch.autograd.grad(loss, [x, *conv.parameters()]), expected):
        assert torch.allclose(own, other, rtol=1e-5, atol=1e-6)


def test_bits_with_what_is_no_eager_pooling_of_spikes(device):
    """A window in the padding alone, transforms, and the compiler."""
    neuron, x = sn.Neuron("If"), torch.full((6, 8, 4, 4), 2.0, device=device).requires_grad_()

    def step(pool, weight):
        spikes, _ = sn.functional.multi_step(neuron, x)
        return torch.nn.functional.conv2d(pool(spikes), weight).sum()

    weight = torch.ones(1, 8, 1, 1, device=device, requires_grad=True)
    dilated = lambda spikes: max_pool2d(spikes, 2, 1, 1, 5)
    (expected,) = torch.autograd.grad(step(dilated, weight), weight)
    with sn.save_spikes_as_bits():
        (grad,) = torch.autograd.grad(step(dilated, weight), weight)
        assert torch.equal(torch.func.vmap(lambda x: max_pool2d(x, 2))(x), theirs(x, 2))
        compiled = torch.compile(lambda x: max_pool2d(x, 2), backend="eager", fullgraph=True)
        assert torch.equal(compiled(x), theirs(x, 2))
    assert torch.equal(grad, expected)


def test_module(device):
    x = images((2, 4, 9, 9), torch.float32, device)
    for options in ({}, {"stride": 1, "padding": 1}, {"dilation": 2}, {"ceil_mode": True}):
        own, other = nn.MaxPool2d(3, **options), torch.nn.MaxPool2d(3, **options)
        for module in (own, pickle.loads(pickle.dumps(own))):
            assert torch.equal(module(x), other(x))
    y, indices = nn.MaxPool2d(2, return_indices=True)(x)
    expected, expected_indices = torch.nn.MaxPool2d(2, return_indices=True)(x)
    assert torch.equal(y, expected) and torch.equal(indices, expected_indices)


def test_errors_are_pytorchs(device):
    x = images((2, 4, 5, 5), torch.float32, device)
    for window in [(2, 2, 2), (0,), (7,), (2, 0)]:
        with pytest.raises(Exception) as expected:
            theirs(x, *window)
        with pytest.raises(type(expected.value)) as actual:
            max_pool2d(x, *window)
        assert str(actual.value) == str(expected.value)


def test_recorded_and_transformed(device):
    from torch.fx.experimental.proxy_tensor import make_fx

    x = images((3, 2, 6, 6), torch.float32, device).detach()
    graph = make_fx(lambda x: max_pool2d(x, 2))(x)
    assert torch.equal(graph(x), theirs(x, 2))
    assert torch.equal(torch.func.vmap(lambda x: max_pool2d(x, 2))(x), theirs(x, 2))
