"""Models of SpikingJelly: the same spikes, and gradients within rounding, before and after `accelerate`."""

import copy
import importlib
import inspect
import pickle

import pytest
import torch

spikingjelly = pytest.importorskip("spikingjelly", reason="spikingjelly is not installed")
from spikingjelly.activation_based import functional, layer, neuron, surrogate  # noqa: E402

import spiking_neurons as sn  # noqa: E402
from spiking_neurons import spikingjelly as ours  # noqa: E402

NODES = {
    "IFNode": {}, "LIFNode": {"tau": 3.0}, "ParametricLIFNode": {"init_tau": 3.0}, "QIFNode": {}, "EIFNode": {},
    "IzhikevichNode": {"a": 0.1, "b": 0.2},
}  # fmt: skip


def made(name, **options):
    """A node in multi-step mode, by keywords that both versions know."""
    return getattr(neuron, name)(step_mode="m", surrogate_function=surrogate.ATan(), **{**NODES[name], **options})


def run(node, x):
    functional.reset_net(node)
    given = x.clone().requires_grad_()
    first = node(given)
    second = node(given * 0.5)
    (first.cumsum(0).sum() + second.sum() + node.v.sum()).backward()
    grads = [given.grad] + [parameter.grad.clone() for parameter in node.parameters()]
    node.zero_grad()
    return [first.detach(), second.detach(), node.v.detach()], grads


@pytest.mark.parametrize("detach_reset", [False, True])
@pytest.mark.parametrize("v_reset", [0.0, None])
@pytest.mark.parametrize("name", NODES)
def test_nodes(name, v_reset, detach_reset, device):
    node = made(name, v_reset=v_reset, detach_reset=detach_reset).to(device).double()
    x = torch.randn(9, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2)).to(device) * 0.8
    expected, expected_grads = run(node, x)
    state = {key: value.clone() for key, value in node.state_dict().items()}
    report = sn.accelerate(node)
    assert report.replaced == {"": name} and not report.kept and isinstance(node, getattr(neuron, name))
    results, grads = run(node, x)
    assert torch.equal(results[0], expected[0]) and torch.equal(results[1], expected[1])
    torch.testing.assert_close([results[2], *grads], [expected[2], *expected_grads])
    assert all(torch.equal(value, state[key]) for key, value in node.state_dict().items())
    functional.set_step_mode(node, "s")
    functional.reset_net(node)
    steps = torch.stack([node(x[t]) for t in range(9)])
    assert torch.equal(steps, expected[0])
    ours.restore(node)
    assert type(node) is getattr(neuron, name)


SURROGATES = [name for name in sn.surrogate.__all__[2:] if hasattr(surrogate, name)]


@pytest.mark.parametrize("name", SURROGATES)
def test_surrogates(name):
    if ours._IS_OLD and name == "NonzeroSignLogAbs":
        pytest.skip("in this version it raises an exception")
    cls = getattr(surrogate, name)
    options = {"alpha": 0.1} if name == "LogTailedReLU" else {}
    node = made("LIFNode")
    node.surrogate_function = cls(**options)
    x = torch.randn(5, 300, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected, expected_grads = run(node, x)
    report = sn.accelerate(node)
    if ours._IS_OLD and name == "PiecewiseLeakyReLU":
        assert "is another one" in report.kept[""]
        return
    assert report.replaced
    results, grads = run(node, x)
    assert torch.equal(results[0], expected[0])
    torch.testing.assert_close(grads, expected_grads)


class Own(neuron.LIFNode):
    """A subclass, which may do anything."""


def test_what_is_kept_says_why():
    network = torch.nn.Sequential(
        layer.Linear(3, 4),
        made("LIFNode"),
        Own(step_mode="m"),
        neuron.LIFNode(surrogate_function=surrogate.ATan(spiking=False)),
    )
    report = sn.accelerate(network)
    assert report.replaced == {"1": "LIFNode"}
    assert report.kept["2"].startswith("a Own; known are exactly IFNode") and "not spiking" in report.kept["3"]
    assert "1 nodes accelerated, 2 kept" in str(report)
    again = sn.accelerate(network)
    assert again.replaced == report.replaced
    for other in (copy.deepcopy(network[1]), pickle.loads(pickle.dumps(network[1]))):
        x = torch.randn(3, 4)
        functional.reset_net(network)
        assert torch.equal(other(x), network[1](x))


def test_settings_that_change_later():
    node, x = made("LIFNode"), torch.randn(6, 50) * 2
    sn.accelerate(node)
    node(x)
    functional.reset_net(node)
    node.tau, node.v_threshold = 1.5, 0.7
    changed = made("LIFNode", tau=1.5, v_threshold=0.7)
    assert torch.equal(node(x), changed(x))
    functional.reset_net(node)
    functional.reset_net(changed)
    node.surrogate_function = changed.surrogate_function = surrogate.ATan(spiking=False)
    assert torch.equal(node(x), changed(x))


def test_v_seq():
    node, x = made("LIFNode"), torch.randn(6, 5) * 2
    node.store_v_seq = True
    node(x)
    expected = node.v_seq
    functional.reset_net(node)
    sn.accelerate(node)
    node(x)
    torch.testing.assert_close(node.v_seq, expected)


def test_batches_of_another_size():
    if ours._IS_OLD:
        pytest.skip("this version cannot do it")
    node = made("IFNode")
    sn.accelerate(node)
    node(torch.rand(3, 4))
    assert node(torch.rand(3, 7)).shape == (3, 7) and node.v.shape == (7,)


def test_a_network_compiles():
    torch._dynamo.reset()
    network = torch.nn.Sequential(layer.Linear(3, 4, step_mode="m"), made("LIFNode"))
    sn.accelerate(network)
    x = torch.randn(5, 2, 3) * 3
    expected = network(x)
    functional.reset_net(network)
    assert torch.equal(torch.compile(network, backend="aot_eager")(x), expected)


def test_signatures_are_theirs():
    for original, cls in ours._CLASSES.items():
        assert inspect.signature(cls.__init__) == inspect.signature(original.__init__)


def build(name, **options):
    """One of their models, small if it can be, where this version has it and what it needs is installed."""
    pytest.importorskip("torchvision", reason="their models need torchvision")
    pytest.importorskip("h5py", reason="their models need h5py")
    file, constructor, settings = {
        "sew_resnet18": ("sew_resnet", "sew_resnet18", {"cnf": "ADD"}),
        "spiking_vgg11_bn": ("spiking_vgg", "spiking_vgg11_bn", {}),
        "spiking_resnet18": ("spiking_resnet", "spiking_resnet18", {}),
        "spikformer": (
            "spikformer",
            "Spikformer",
            {"img_size_h": 32, "img_size_w": 32, "patch_size": 4, "embed_dims": 64, "num_heads": 4, "depths": 2},
        ),
    }[name]
    if ours._IS_OLD and name == "spikformer":
        pytest.skip("this version does not have it")
    module = importlib.import_module(f"spikingjelly.activation_based.model.{file}")
    return getattr(module, constructor)(spiking_neuron=neuron.LIFNode, **settings, **options)


@pytest.mark.parametrize("name", ["sew_resnet18", "spiking_vgg11_bn", "spiking_resnet18", "spikformer"])
def test_their_models(name):
    torch.manual_seed(0)
    options = {"surrogate_function": surrogate.ATan(), "detach_reset": True, "v_threshold": 0.3, "tau": 1.7}
    model = build(name, **options).double()
    functional.set_step_mode(model, "m")
    x = torch.rand(4, 2, 3, 32, 32, dtype=torch.float64)
    spikes = []
    for module in model.modules():
        if isinstance(module, neuron.LIFNode):
            module.register_forward_hook(lambda module, args, output: spikes.append(output.detach()))

    def run():
        spikes.clear()
        functional.reset_net(model)
        model.zero_grad()
        torch.manual_seed(1)
        model(x).square().sum().backward()
        return list(spikes), [parameter.grad.clone() for parameter in model.parameters()]

    expected, expected_grads = run()
    assert all(layer.any() for layer in expected)
    report = sn.accelerate(model)
    assert len(report.replaced) == len(expected) and not report.kept
    results, grads = run()
    assert all(map(torch.equal, results, expected))
    torch.testing.assert_close(grads, expected_grads)
