"""Operations of `torch.library`: the compiler, export, dispatch modes, and PyTorch's own checks of them."""

import pytest
import torch
from conftest import SPECS, drive, parameters
from torch.utils.flop_counter import FlopCounterMode

import spiking_neurons as sn
from spiking_neurons import functional as F
from spiking_neurons import ops


class Network(torch.nn.Module):
    """Two layers of neurons, of which one learns."""

    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Linear(5, 8), torch.nn.Linear(8, 3)
        self.lif, self.plif = sn.Lif(tau=2.0, step_mode="m"), sn.Plif(step_mode="m", surrogate="Sigmoid")

    def forward(self, x):
        self.lif.reset()
        self.plif.reset()
        return self.plif(self.second(self.lif(self.first(x) * 3))).mean(0)


def gradients(network, function, x):
    network.zero_grad()
    output = function(x)
    output.sum().backward()
    return [output.detach(), *[parameter.grad.clone() for parameter in network.parameters()]]


@pytest.mark.parametrize("sequence", [True, False])
@pytest.mark.parametrize("name", SPECS)
def test_opcheck(name, sequence, device):
    operation = ops.OPERATIONS[name]
    shape = (10, 2, 3) if sequence else (2, 3)
    inputs = drive(name, shape, device=device)
    neuron = sn.Neuron(name)
    full = [torch.full((2, 3), value, device=device) for value in neuron.initial_state]
    settings = operation.settings(neuron, sequence)
    for states, final in ((full, True), ([None] * len(full), True), ([None] * len(full), False)):
        arrays = [*inputs, *states, *parameters(name, device=device).values()]
        torch.library.opcheck(operation.infer, (*arrays, *settings, final))
        leaves = [array if array is None else array.clone().requires_grad_() for array in arrays]
        torch.library.opcheck(operation.train, (*leaves, *settings, final))
        output, *rest = operation.train(*arrays, *settings, True)
        kept = rest[len(full) :] if sequence else [None] * operation.checkpoints
        grads = [torch.ones_like(output), *[None] * len(full)]
        for wanted in ([final] * len(full), [place == 0 for place in range(len(full))]):
            torch.library.opcheck(operation.back, (*grads, *arrays, *kept, *settings, wanted))


def test_surrogates_without_parameters():
    """Their empty list is not one of tensors."""
    operation = ops.OPERATIONS["Lif"]
    settings = [[] if isinstance(value, list) else value for value in operation.settings(sn.Neuron("Lif"), True)]
    x = torch.rand(9, 4, requires_grad=True)
    output, *_ = operation.train(x, None, *settings, False)
    (expected,) = torch.autograd.grad(F.multi_step(sn.Neuron("Lif"), x)[0].sum(), x)
    assert torch.equal(torch.autograd.grad(output.sum(), x)[0], expected)


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compiled_is_eager(backend):
    torch._dynamo.reset()
    network = Network()
    compiled = torch.compile(network, fullgraph=True, backend=backend, dynamic=True)
    for batch in (2, 4, 7):
        x = torch.randn(10, batch, 5)
        for ours, theirs in zip(gradients(network, compiled, x), gradients(network, network, x)):
            torch.testing.assert_close(ours, theirs)


def test_state_between_calls_needs_two_graphs():
    torch._dynamo.reset()
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    layer = sn.Lif(tau=2.0)
    compiled = torch.compile(layer, fullgraph=True, backend=counter)
    expected = sn.Lif(tau=2.0)
    for _ in range(5):
        x = torch.rand(4) * 3
        assert torch.equal(compiled(x), expected(x))
    assert counter.frame_count == 2


def test_channels_last_is_compiled_without_a_copy():
    torch._dynamo.reset()
    x = torch.randn(4, 2, 3, 5, 5).permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
    layer = sn.Lif(tau=2.0, step_mode="m")
    output = torch.compile(layer, fullgraph=True, backend="aot_eager")(x)
    assert output.stride() == x.stride()
    layer.reset()
    assert torch.equal(output, layer(x))


def test_export():
    program = torch.export.export(Network(), (torch.randn(10, 2, 5),))
    targets = {str(node.target) for node in program.graph.nodes}
    assert any(target.startswith("spiking_neurons.lif_") for target in targets)


def test_modes_see_operations():
    seen = []

    class Log(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            seen.append(str(func))
            return func(*args, **(kwargs or {}))

    x = torch.randn(3, 4, requires_grad=True)
    expected = F.multi_step(sn.Neuron("Lif", tau=2.0), x)
    with Log(), FlopCounterMode(display=False):
        outputs = F.multi_step(sn.Neuron("Lif", tau=2.0), x)
        outputs[1].sum().backward()
    assert all(map(torch.equal, outputs, expected))
    with Log(), pytest.raises(RuntimeError, match="no second derivative"):
        grad = torch.autograd.grad(F.multi_step(sn.Neuron("Lif"), x)[1].sum(), x, create_graph=True)[0]
        grad.sum().backward()
    assert any("_train" in name for name in seen) and any("_backward" in name for name in seen)


def test_fake_tensors():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        spike, v = F.multi_step(sn.Neuron("Lif"), torch.empty(5, 2, 3, dtype=torch.bfloat16))
    assert spike.shape == (5, 2, 3) and spike.dtype == torch.bfloat16
    assert v.shape == (2, 3) and v.dtype == torch.float32


def test_checkpointing():
    from torch.utils.checkpoint import checkpoint

    network, x = Network(), torch.randn(10, 2, 5)
    plain = gradients(network, network, x)
    again = gradients(network, lambda x: checkpoint(network, x, use_reentrant=False), x)
    assert all(map(torch.equal, plain, again))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast(dtype, device):
    network = Network().to(device)
    x = torch.randn(10, 4, 5, device=device)
    with torch.autocast(device.type, dtype=dtype):
        hidden = network.lif(network.first(x))
    assert hidden.dtype == dtype and network.lif.v.dtype == torch.float32
    scaler = torch.amp.GradScaler(device.type, enabled=dtype == torch.float16)
    with torch.autocast(device.type, dtype=dtype):
        loss = network(x).float().sum()
    scaler.scale(loss).backward()
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    scaler.step(optimizer)
    assert all(parameter.isfinite().all() for parameter in network.parameters())


def test_the_relaxed_model_is_not_traced():
    torch._dynamo.reset()
    layer = sn.Lif(relaxed=True, step_mode="m")
    with pytest.raises(Exception, match="cannot be traced"):
        torch.compile(layer, fullgraph=True, backend="eager")(torch.rand(3, 4))


@pytest.mark.parametrize("name", ["Lif", "Plif", "LeakyIntegrator", "CubaLif", "Glif"])
def test_transforms(name):
    neuron = sn.Neuron(name)
    xs = [x.detach() for x in drive(name, (10, 4, 3))]
    params = parameters(name)

    def loss(params, *xs):
        output, *states = F.multi_step(neuron, xs, None, params)
        return output.cumsum(0).sum() + sum(state.square().sum() for state in states)

    leaves = {key: value.clone().requires_grad_() for key, value in params.items()}
    inputs = [x.clone().requires_grad_() for x in xs]
    expected = torch.autograd.grad(loss(leaves, *inputs), [*leaves.values(), *inputs])
    grads, *grad_xs = torch.func.grad(loss, argnums=tuple(range(1 + len(xs))))(params, *xs)
    for ours, theirs in zip([*grads.values(), *grad_xs], expected):
        torch.testing.assert_close(ours, theirs)
    # One gradient a sample; their sum is that of the batch.
    each, *_ = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1)), in_dims=(None, *[1] * len(xs)))(params, *xs)
    for key, value in each.items():
        assert value.shape == (4, 1)
        torch.testing.assert_close(value.sum(0), grads[key])
    outputs = torch.func.vmap(lambda *xs: F.multi_step(neuron, xs, None, params)[0], in_dims=1, out_dims=1)(*xs)
    assert torch.equal(outputs, F.multi_step(neuron, xs, None, params)[0])
    if params:
        many = {key: value + torch.rand(5, 1) * 0.1 for key, value in params.items()}
        outputs = torch.func.vmap(lambda params: F.multi_step(neuron, xs, None, params)[0])(many)
        for at in range(5):
            one = {key: value[at] for key, value in many.items()}
            assert torch.equal(outputs[at], F.multi_step(neuron, xs, None, one)[0])


def test_second_derivatives_are_refused_under_transforms():
    x = torch.rand(3, 2)
    total = lambda x: F.multi_step(sn.Neuron("Lif", tau=2.0), x)[1].sum()
    with pytest.raises(RuntimeError, match="no second derivative"):
        torch.func.grad(lambda x: torch.func.grad(total)(x).sum())(x)
