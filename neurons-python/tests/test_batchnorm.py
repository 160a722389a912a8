"""Batch normalisation and neurons in one operation: the same results as one after the other."""

import copy
import io
import itertools
import math

import pytest
import torch
from conftest import drive
from torch import nn

import spiking_neurons as sn
from spiking_neurons import BatchNormNode

CHANNELS = 6
SHAPES = {"1d": (5, CHANNELS), "1d-length": (3, CHANNELS, 7), "2d": (2, CHANNELS, 4, 5), "3d": (2, CHANNELS, 2, 3, 2)}
NORMS = {"1d": nn.BatchNorm1d, "1d-length": nn.BatchNorm1d, "2d": nn.BatchNorm2d, "3d": nn.BatchNorm3d}
ONE_INPUT = [name for name, spec in sn.SPECS.items() if len(spec["inputs"]) == 1]


def tolerance(dtype):
    return {"rtol": 1e-9, "atol": 1e-10} if dtype is torch.float64 else {"rtol": 1e-4, "atol": 1e-5}


def made_norm(kind="2d", dtype=torch.float64, device="cpu", **options):
    """Far from the identity, with statistics of earlier batches."""
    torch.manual_seed(1)
    norm = NORMS[kind](CHANNELS, dtype=dtype, **options)
    if norm.affine:
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, 0.5, 0.3)
    if norm.track_running_stats:
        nn.init.normal_(norm.running_mean)
        nn.init.uniform_(norm.running_var, 0.5, 2.0)
    return norm.to(device)


def separate(norm, node, x):
    """One after the other, by PyTorch's normalisation."""
    if node.step_mode == "s":
        return node(norm(x))
    return node(norm(x.flatten(0, 1)).unflatten(0, x.shape[:2]))


def compare(norm, node, x, steps=1):
    """Results, gradients and running statistics, over several calls."""
    fused = BatchNormNode(copy.deepcopy(norm), copy.deepcopy(node))
    given = [x.clone(memory_format=torch.preserve_format).requires_grad_() for _ in range(2)]
    for _ in range(steps):
        results = [fused(given[0]), separate(norm, node, given[1])]
        assert results[0].dtype == x.dtype and results[0].stride() == results[1].stride()
        torch.testing.assert_close(results[0], results[1], **tolerance(x.dtype))
        weights = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)).to(x)
        for result, owner in zip(results, (fused.node, node)):
            states = sum(state.sum() for state in owner.states.values())
            ((result * weights).sum() + states).backward()
            owner.detach()
    torch.testing.assert_close(given[0].grad, given[1].grad, **tolerance(x.dtype))
    for module, expected in ((fused.norm, norm), (fused.node, node)):
        for (name, parameter), other in zip(module.named_parameters(), expected.parameters()):
            torch.testing.assert_close(parameter.grad, other.grad, **tolerance(x.dtype), msg=lambda text: f"{name}: {text}")
    torch.testing.assert_close(fused.norm.state_dict(), norm.state_dict(), **tolerance(torch.float32))


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("mode", ["m", "s"])
@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_as_one_after_the_other(dtype, kind, mode, training, device):
    shape = (4, *SHAPES[kind]) if mode == "m" else SHAPES[kind]
    x = torch.randn(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64).to(device, dtype) * 2 + 0.7
    norm = made_norm(kind, dtype, device).train(training)
    compare(norm, sn.Lif(tau=1.7, step_mode=mode).to(device), x, steps=3)


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("name", ONE_INPUT)
def test_every_neuron(name, training, device):
    x = drive(name, (5, 2, CHANNELS, 3, 3), torch.float64)[0].to(device)
    compare(made_norm(device=device).train(training), getattr(sn, name)(step_mode="m").double().to(device), x, steps=2)


@pytest.mark.parametrize(
    "options",
    [{"affine": False}, {"track_running_stats": False}, {"momentum": None}, {"momentum": 0.4, "eps": 1e-2}],
    ids=str,
)
def test_options(options, device):
    x = torch.randn(4, 2, CHANNELS, 3, 3, dtype=torch.float64).to(device)
    for training in (True, False):
        norm = made_norm(device=device, **options).train(training)
        compare(norm, sn.Lif(step_mode="m", reset="soft", detach_reset=True), x, steps=3)


def test_channels_last(device):
    x = torch.randn(8, CHANNELS, 5, 4, dtype=torch.float64).to(device, memory_format=torch.channels_last)
    x = x.unflatten(0, (4, 2))
    for training in (True, False):
        compare(made_norm(device=device).train(training), sn.Plif(step_mode="m").double().to(device), x)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision(dtype, device):
    """Statistics and arithmetic are float32: what is lost is lost in the input, the spikes and the gradient of the input alone."""
    x = torch.randn(4, 8, CHANNELS, 6, 6, generator=torch.Generator().manual_seed(5)).to(device, dtype)
    norm, node = made_norm(dtype=torch.float32, device=device), sn.LeakyIntegrator(step_mode="m").to(device)
    results, grads = [], []
    for given in (x.clone(), x.float()):
        given.requires_grad_()
        norm.zero_grad()
        result = BatchNormNode(copy.deepcopy(norm), copy.deepcopy(node))
        output = result(given)
        output.float().square().sum().backward()
        results.append(output.float())
        grads.append([given.grad.float(), result.norm.weight.grad, result.norm.bias.grad])
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(results[0], results[1], rtol=eps, atol=eps)
    for grad, expected in zip(*grads):
        assert (grad - expected).norm() < 4 * eps * expected.norm()


def test_gradients_are_those_of_finite_differences():
    """Of a neuron without spikes, through statistics, running the operation itself."""
    module = BatchNormNode(made_norm(), sn.LeakyIntegrator(step_mode="m").double())
    x = torch.randn(3, 2, CHANNELS, 2, 2, dtype=torch.float64, requires_grad=True)

    def run(x, weight, bias):
        module.reset()
        return torch.func.functional_call(module, {"norm.weight": weight, "norm.bias": bias}, (x,))

    assert torch.autograd.gradcheck(run, (x, module.norm.weight, module.norm.bias))


def test_same_bits_every_time(device):
    x = torch.randn(4, 16, CHANNELS, 16, 16).to(device)
    runs = []
    for _ in range(3):
        module = BatchNormNode(made_norm(dtype=torch.float32, device=device), sn.Lif(step_mode="m").to(device))
        given = x.clone().requires_grad_()
        module(given).cumsum(0).sum().backward()
        runs.append([given.grad, module.norm.weight.grad, module.norm.bias.grad, module.norm.running_var])
    for run, tensors in itertools.product(runs[1:], zip(*runs)):
        assert all(torch.equal(tensor, tensors[0]) for tensor in tensors)


def test_the_normalised_input_is_not_kept():
    """The backward pass keeps the input and numbers of each channel, and nothing else of its size."""
    x = torch.randn(4, 8, CHANNELS, 8, 8, requires_grad=True)
    kept = []

    def pack(tensor):
        kept.append(tensor)
        return tensor

    module = BatchNormNode(made_norm(dtype=torch.float32), sn.Lif(step_mode="m", keep_state=False))
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        module(x)
    large = {tensor.data_ptr() for tensor in kept if tensor.numel() > CHANNELS}
    assert large == {x.data_ptr()}


def test_a_gradient_of_the_parameters_alone():
    norm = made_norm(dtype=torch.float32)
    module, x = BatchNormNode(norm, sn.Lif(step_mode="m")), torch.randn(4, 3, CHANNELS, 2, 2)
    module(x).sum().backward()
    other = copy.deepcopy(norm)
    other.zero_grad()
    separate(other, sn.Lif(step_mode="m"), x).sum().backward()
    torch.testing.assert_close(norm.weight.grad, other.weight.grad)
    with torch.no_grad():
        assert not module(x).requires_grad
    for parameter in norm.parameters():
        parameter.requires_grad_(False)
    given = x.clone().requires_grad_()
    module.reset()
    module(given).sum().backward()
    assert given.grad.abs().sum() > 0 and given.grad.sum((0, 1, 3, 4)).abs().max() < 1e-5


def test_declared_neurons():
    leaky = sn.declare(
        "struct Drained { learnable rate = 0.3; state w = 0.0; charge = v + rate * (current - v) - w;"
        " update w = 0.9 * w + 0.1 * spike; input current; reset hard | soft; }"
    )
    x = torch.randn(5, 3, CHANNELS, 2, 2, dtype=torch.float64) * 2
    compare(made_norm(), leaky(step_mode="m").double(), x, steps=2)


def test_recorded_and_compiled():
    x = torch.randn(4, 3, CHANNELS, 2, 2, dtype=torch.float64) * 2
    norm, node = made_norm(), sn.Lif(step_mode="m", store_v_seq=True)
    module = BatchNormNode(copy.deepcopy(norm), copy.deepcopy(node))
    torch.testing.assert_close(module(x), separate(norm, node, x))
    torch.testing.assert_close(module.node.v_seq, node.v_seq)
    torch._dynamo.reset()
    module, other = [BatchNormNode(made_norm(), sn.Lif(step_mode="m")) for _ in range(2)]
    compiled = torch.compile(module, backend="aot_eager", fullgraph=True)
    given = [x.clone().requires_grad_() for _ in range(2)]
    for run, each in zip((compiled, other), given):
        run(each).cumsum(0).sum().backward()
    torch.testing.assert_close(given[0].grad, given[1].grad)
    torch.testing.assert_close(module.norm.running_var, other.norm.running_var)


def test_saved_spikes_and_copies():
    module = BatchNormNode(made_norm(dtype=torch.float32), sn.Lif(step_mode="m"))
    last, x = nn.Linear(2, 3), torch.randn(4, 3, CHANNELS, 8, 2)
    with sn.save_spikes_as_bits() as saved:
        last(module(x)).sum().backward()
    assert saved.packed_bytes > 0 and saved.packed_bytes * 32 == saved.saved_bytes
    buffer = io.BytesIO()
    torch.save(module, buffer)
    buffer.seek(0)
    again = torch.load(buffer, weights_only=False)
    assert torch.equal(again(x), copy.deepcopy(module)(x))
    assert list(module.state_dict()) == [f"norm.{name}" for name in module.norm.state_dict()]
    module.detach()
    module.reset()
    assert module.node.v == 0.0


def test_what_does_not_fit():
    norm, node = made_norm(dtype=torch.float32), sn.Lif(step_mode="m")
    with pytest.raises(TypeError, match="`norm` is a Linear; batch normalisation expected"):
        BatchNormNode(nn.Linear(2, 3), node)
    with pytest.raises(TypeError, match="`node` is a ReLU; a module of neurons with one input expected"):
        BatchNormNode(norm, nn.ReLU())
    module = BatchNormNode(norm, node)
    with pytest.raises(ValueError, match=r"`x` has shape \(4, 3, 5, 2, 2\), \[T, B, 6, ...\] expected"):
        module(torch.randn(4, 3, 5, 2, 2))
    before = copy.deepcopy(norm.state_dict())
    with pytest.raises(ValueError, match="1 values of each channel, at least 2 expected in training"):
        module(torch.randn(1, 1, CHANNELS, 1, 1))
    torch.testing.assert_close(norm.state_dict(), before)
    norm.eval()
    assert module(torch.randn(1, 1, CHANNELS, 1, 1)).shape == (1, 1, CHANNELS, 1, 1)


def test_a_second_derivative_is_refused():
    module = BatchNormNode(made_norm(dtype=torch.float32), sn.Lif(step_mode="m"))
    x = torch.randn(4, 3, CHANNELS, 2, 2, requires_grad=True)
    with pytest.raises(RuntimeError, match="no second derivative"):
        torch.autograd.grad(module(x).sum(), x, create_graph=True)


def test_hard_cases_of_statistics(device):
    """A mean far larger than the spread, and a channel that is constant."""
    x = torch.randn(4, 8, CHANNELS, 4, 4).to(device)
    x[:, :, 1] += 1e4
    x[:, :, 2] = 3.0
    module = BatchNormNode(made_norm(dtype=torch.float32, device=device), sn.LeakyIntegrator(step_mode="m").to(device))
    exact = copy.deepcopy(module).double()
    given = [x.clone().requires_grad_(), x.double().requires_grad_()]
    for run, each in zip((module, exact), given):
        run(each).square().sum().backward()
    error = (given[0].grad - given[1].grad).abs().amax((0, 1, 3, 4)) / given[1].grad.abs().amax((0, 1, 3, 4))
    # Float32 has 1e-3 left of what the second channel varies by.
    assert error[[0, 3, 4, 5]].max() < 1e-5 and error[1] < 1e-2 and math.isfinite(error[2])


def test_half_precision_parameters(device):
    """Running statistics of a module in half precision are updated as in float32, and rounded."""
    norm = made_norm(dtype=torch.float32, device=device).half()
    wide, x = copy.deepcopy(norm).float(), torch.randn(4, 3, CHANNELS, 4, 4).to(device, torch.float16)
    module = BatchNormNode(norm, sn.Lif(step_mode="m").to(device))
    module(x).sum().backward()
    wide(x.flatten(0, 1).float())
    torch.testing.assert_close(norm.running_var.float(), wide.running_var, rtol=1e-3, atol=1e-3)
    assert norm.weight.grad.dtype == torch.float16


def test_what_is_not_finite_stays_in_its_channel(device):
    x = torch.randn(4, 3, CHANNELS, 2, 2, dtype=torch.float64).to(device) * 2
    x[0, 0, 2, 0, 0] = torch.nan
    for training in (True, False):
        norm, node = made_norm(device=device).train(training), sn.LeakyIntegrator(step_mode="m").to(device)
        module = BatchNormNode(copy.deepcopy(norm), copy.deepcopy(node))
        result, expected = module(x), separate(norm, node, x)
        torch.testing.assert_close(result, expected, equal_nan=True)
        torch.testing.assert_close(module.norm.state_dict(), norm.state_dict(), equal_nan=True)
        assert result[:, :, [0, 1, 3, 4, 5]].isfinite().all()


def test_inference_mode_first():
    module = BatchNormNode(made_norm(dtype=torch.float32, affine=False).eval(), sn.Plif(step_mode="m"))
    x = torch.randn(4, 3, CHANNELS, 2, 2)
    with torch.inference_mode():
        module(x)
    module.reset()
    module(x.requires_grad_()).sum().backward()
    assert x.grad is not None


class Halved(nn.BatchNorm2d):
    def forward(self, x):
        return super().forward(x) * 0.5


def test_modules_that_do_something_else_are_called():
    x, node = torch.randn(4, 3, CHANNELS, 2, 2) * 3, sn.Lif(step_mode="m")
    halved, lazy = Halved(CHANNELS), nn.LazyBatchNorm2d()
    for norm in (halved, lazy):
        module = BatchNormNode(norm, copy.deepcopy(node))
        result = module(x)
        plain = nn.BatchNorm2d(CHANNELS)
        y = plain(x.flatten(0, 1)).unflatten(0, (4, 3)) * (0.5 if norm is halved else 1.0)
        torch.testing.assert_close(result, copy.deepcopy(node)(y))
    seen = []
    module = BatchNormNode(nn.BatchNorm2d(CHANNELS), copy.deepcopy(node))
    module.norm.register_forward_hook(lambda *args: seen.append(args[2]))
    module(x)
    assert len(seen) == 1 and seen[0].shape == (12, CHANNELS, 2, 2)


def test_names_of_the_normalisation_are_taken():
    own = sn.declare("struct Named { learnable bn_bias = 0.0; charge = v + x + bn_bias; reset hard; }")
    with pytest.raises(ValueError, match="`bn_bias` is a name of the normalisation's parameters"):
        BatchNormNode(nn.BatchNorm2d(2), own(step_mode="m"))
