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


#: How many batch normalisations of their models feed one node and nothing else.
FUSED = {"sew_resnet18": 20, "spiking_vgg11_bn": 8, "spiking_resnet18": 9, "spikformer": 0}


@pytest.mark.parametrize("fused", [False, True], ids=["", "fused"])
@pytest.mark.parametrize("name", FUSED)
def test_their_models(name, fused):
    torch.manual_seed(0)
    options = {"surrogate_function": surrogate.ATan(), "detach_reset": True, "v_threshold": 0.3, "tau": 1.7}
    model = build(name, **options).double()
    functional.set_step_mode(model, "m")
    x = torch.rand(4, 2, 3, 32, 32, dtype=torch.float64)
    nodes = [module for module in model.modules() if isinstance(module, neuron.LIFNode)]
    spikes = []

    def run():
        spikes.clear()
        functional.reset_net(model)
        model.zero_grad()
        torch.manual_seed(1)
        # Nodes that are watched are not fused: their results are those of their last layers, then.
        watch = lambda module, args, output: spikes.append(output.detach())
        handles = [] if fused else [module.register_forward_hook(watch) for module in nodes]
        output = model(x)
        output.square().sum().backward()
        for handle in handles:
            handle.remove()
        return [*spikes, output.detach()], [parameter.grad.clone() for parameter in model.parameters()]

    expected, expected_grads = run()
    assert all(layer.any() for layer in expected)
    report = sn.accelerate(model, fuse_batch_norm=fused)
    assert len(report.replaced) == len(nodes) and not report.kept
    norms = sum(isinstance(module, torch.nn.modules.batchnorm._BatchNorm) for module in model.modules())
    assert len(report.fused) + len(report.kept_norms) == (norms if fused else 0)
    assert len(report.fused) == (FUSED[name] if fused else 0), report
    results, grads = run()
    if fused:
        torch.testing.assert_close(results, expected)
    else:
        assert all(map(torch.equal, results, expected))
    torch.testing.assert_close(grads, expected_grads)


class Block(torch.nn.Module):
    """Normalisations that can be fused, and others that cannot."""

    def __init__(self):
        super().__init__()
        self.first = layer.SeqToANNContainer(torch.nn.Conv2d(2, 4, 3), torch.nn.BatchNorm2d(4))
        self.second, self.third = layer.BatchNorm2d(4, step_mode="m"), layer.BatchNorm2d(4, step_mode="m")
        self.twice, self.watched = layer.BatchNorm2d(4, step_mode="m"), layer.BatchNorm2d(4, step_mode="m")
        self.nodes = torch.nn.ModuleList([made("LIFNode") for _ in range(5)])
        self.watched.register_forward_hook(lambda *_: None)

    def forward(self, x):
        x = self.nodes[0](self.first(x) * 1.0 if self.scaled else self.first(x))
        x = self.nodes[1](self.second(x))
        y = self.third(x)
        x = self.nodes[2](y) + y
        x = self.nodes[3](self.twice(x)) + self.nodes[3](self.twice(x))
        return self.nodes[4](self.watched(x))

    scaled = False


def test_which_normalisations_are_fused():
    model = Block().double()
    report = sn.accelerate(model, fuse_batch_norm=True)
    assert report.fused == {"nodes.0": "first.1", "nodes.1": "second"}
    assert "more than one layer" in report.kept_norms["third"] and "calls it 2 times" in report.kept_norms["twice"]
    assert report.kept_norms["watched"] == "it or its node has hooks"
    assert "2 batch normalisations fused, 3 kept" in str(report)
    assert sn.accelerate(model, fuse_batch_norm=True).fused == report.fused
    scaled = Block()
    scaled.scaled = True
    assert sn.accelerate(scaled, fuse_batch_norm=True).fused == {"nodes.1": "second"}


def test_a_model_that_cannot_be_traced():
    class Branches(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.node = layer.BatchNorm1d(3, step_mode="m"), made("LIFNode")

        def forward(self, x):
            return self.node(self.norm(x)) if x.sum() > 0 else x

    report = sn.accelerate(Branches(), fuse_batch_norm=True)
    assert report.replaced and not report.fused and "cannot be traced" in report.kept_norms["norm"]


@pytest.mark.parametrize("norm", [layer.BatchNorm2d, layer.ThresholdDependentBatchNorm2d], ids=lambda cls: cls.__name__)
def test_fused_and_back(norm):
    """Training, evaluation, calls that the kernels cannot do, copies, and `restore`."""
    options = {"alpha": 1.2, "v_th": 1.0} if "Threshold" in norm.__name__ else {}
    torch.manual_seed(0)
    model = torch.nn.Sequential(norm(num_features=4, **options), made("LIFNode")).double()
    functional.set_step_mode(model, "m")
    other, x = copy.deepcopy(model), torch.randn(5, 3, 4, 2, 2, dtype=torch.float64) * 2
    keys = list(model.state_dict())
    assert sn.accelerate(model, fuse_batch_norm=True).fused == {"1": "0"} and list(model.state_dict()) == keys

    def agree(model):
        functional.reset_net(model)
        functional.reset_net(other)
        torch.testing.assert_close(model(x), other(x))
        torch.testing.assert_close(model.state_dict(), other.state_dict())

    agree(model)
    other.eval()
    agree(pickle.loads(pickle.dumps(model)).eval())
    agree(model.eval())
    for each in (model, other):
        each.train()
        each[1].store_v_seq = True
    agree(model)
    torch.testing.assert_close(model[1].v_seq, other[1].v_seq)
    for each in (model, other):
        each[1].store_v_seq = False
        each[1].surrogate_function = surrogate.ATan(spiking=False)
    agree(model)
    if not options:
        for each in (model, other):
            functional.set_step_mode(each, "s")
        functional.reset_net(model)
        functional.reset_net(other)
        torch.testing.assert_close(model(x[0]), other(x[0]))
        for each in (model, other):
            functional.set_step_mode(each, "m")
    ours.restore(model)
    assert type(model[0]) is norm and "_norm" not in vars(model[1])
    agree(model)


def fused_pair(norm=None):
    torch.manual_seed(0)
    model = torch.nn.Sequential(norm or layer.BatchNorm2d(4, step_mode="m"), made("LIFNode")).double()
    with torch.no_grad():
        model[0].bias.fill_(1.0)
    other = copy.deepcopy(model)
    assert sn.accelerate(model, fuse_batch_norm=True).fused == {"1": "0"}
    return model, other


#: Changes after fusing: each is to have the same effect on the model and on one that is not fused.
CHANGES = {
    "another normalisation": lambda model: model.__setitem__(0, layer.BatchNorm2d(4, step_mode="m").double()),
    "none": lambda model: model.__setitem__(0, torch.nn.Identity()),
    "another node": lambda model: model.__setitem__(1, made("LIFNode", tau=1.5)),
    "a hook": lambda model: model[0].register_forward_hook(lambda module, args, output: output * 2.0),
    "a hook of the node": lambda model: model[1].register_forward_pre_hook(lambda module, args: (args[0] + 0.5,)),
    "restored node": lambda model: ours.restore(model[1]),
    "restored normalisation": lambda model: ours.restore(model[0]),
    "fused again": lambda model: sn.accelerate(model, fuse_batch_norm=True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changes_after_fusing(change):
    model, other = fused_pair()
    for each in (model, other):
        CHANGES[change](each)
    x = torch.randn(5, 3, 4, 2, 2, dtype=torch.float64) * 2
    for each in (model, other):
        functional.reset_net(each)
    torch.testing.assert_close(model(x), other(x))


def test_a_normalisation_of_torch_is_fused_once():
    """Each step is a batch of its own shape, for modules of PyTorch: only single steps are fused."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.BatchNorm2d(4), torch.nn.BatchNorm2d(4), made("LIFNode")).double()
    functional.set_step_mode(model, "s")
    other, x = copy.deepcopy(model), torch.randn(6, 4, 4, 4, dtype=torch.float64) * 2
    for _ in range(2):
        assert sn.accelerate(model, fuse_batch_norm=True).fused == {"2": "1"}
    torch.testing.assert_close(model(x), other(x))
    for each in (model, other):
        functional.reset_net(each)
        functional.set_step_mode(each, "m")
    # Steps of images without a batch, which PyTorch's module takes for a batch.
    torch.testing.assert_close(model(x), other(x))


class Modes(torch.nn.Module):
    """Calls the node in training only."""

    def __init__(self):
        super().__init__()
        self.norm, self.node, self.seen = layer.BatchNorm1d(3, step_mode="m"), made("LIFNode"), []

    def forward(self, x):
        x = self.norm(x)
        self.seen.append(x)
        return self.node(x) if self.training else x


def test_both_modes_are_traced_on_a_copy():
    model = Modes()
    report = sn.accelerate(model, fuse_batch_norm=True)
    assert not report.fused and "node" not in report.kept_norms["norm"] and model.seen == []
    assert model.training and model.node.training


def test_another_input_than_what_was_passed_on():
    model, _ = fused_pair()
    x = torch.randn(5, 3, 4, 2, 2, dtype=torch.float64)
    model[0](x)
    with pytest.raises(RuntimeError, match=r"restore\(model\)"):
        model[1](x.clone())
    functional.reset_net(model)
    assert model(x).shape == x.shape


def conv_pair(container=False, momentum=0.1, **options):
    """A convolution with a bias before a normalisation and a node, fused and as it was."""
    torch.manual_seed(0)
    if container:
        first = [layer.SeqToANNContainer(torch.nn.Conv2d(2, 4, 3), torch.nn.BatchNorm2d(4, momentum=momentum, **options))]
    else:
        first = [layer.Conv2d(2, 4, 3, step_mode="m"), layer.BatchNorm2d(4, step_mode="m", momentum=momentum, **options)]
    other = torch.nn.Sequential(*first, made("LIFNode")).double()
    with torch.no_grad():
        for module in other.modules():
            if isinstance(module, (torch.nn.Conv2d, torch.nn.BatchNorm2d)) and module.bias is not None:
                module.bias.uniform_(-2.0, 2.0)
    model = copy.deepcopy(other)
    report = sn.accelerate(model, fuse_batch_norm=True)
    assert report.left_out == ({"0.0": "0.1"} if container else {"0": "1"})
    assert "biases left out in training: 1" in str(report)
    return model, other


def agree_in_training(model, other, steps=2):
    """Outputs, gradients and buffers over some steps of stochastic gradient descent, and in evaluation."""
    optimizers = [torch.optim.SGD(each.parameters(), 0.1, momentum=0.9, weight_decay=0.1) for each in (model, other)]
    for step in range(steps):
        x = 3 * torch.randn(5, 3, 2, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(step))
        for each, optimizer in zip((model, other), optimizers):
            functional.reset_net(each)
            optimizer.zero_grad()
            each(x).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(model.state_dict(), other.state_dict())
    for each in (model, other):
        functional.reset_net(each)
        each.eval()
    torch.testing.assert_close(model(x), other(x))
    for each in (model, other):
        each.train()


@pytest.mark.parametrize(
    "options", [{}, {"container": True}, {"momentum": None}, {"track_running_stats": False}, {"affine": False}], ids=str
)
def test_biases_that_are_cancelled(options):
    model, other = conv_pair(**options)
    agree_in_training(model, other)
    (bias,) = [module.bias for module in model.modules() if isinstance(module, torch.nn.Conv2d)]
    assert bias.grad is not None and not bias.grad.any()
    ours.restore(model)
    assert not any(hasattr(module, "_after") for module in model.modules())
    assert {type(module) for module in model.modules()} == {type(module) for module in other.modules()}
    agree_in_training(model, other)


#: Changes after which the bias counts, or is left out still.
CONV_CHANGES = {
    "a hook": lambda model: model[0].register_forward_hook(lambda module, args, output: output.clamp(max=1.0)),
    "a hook of the normalisation": lambda model: model[1].register_forward_pre_hook(lambda module, args: (args[0] * 2.0,)),
    "another normalisation": lambda model: model.__setitem__(1, layer.BatchNorm2d(4, step_mode="m").double()),
    "none": lambda model: model.__setitem__(1, torch.nn.Identity()),
    "no bias": lambda model: setattr(model[0], "bias", None),
    "a frozen bias": lambda model: model[0].bias.requires_grad_(False),
    "another surrogate": lambda model: setattr(model[2], "surrogate_function", surrogate.ATan(spiking=False)),
    "restored normalisation": lambda model: ours.restore(model[1]),
    "fused again": lambda model: sn.accelerate(model, fuse_batch_norm=True),
    "a compiled node": lambda model: model[2].compile(backend="eager"),
    "a compiled normalisation": lambda model: model[1].compile(backend="eager"),
    "a compiled convolution": lambda model: model[0].compile(backend="eager"),
}


@pytest.mark.parametrize("change", CONV_CHANGES)
def test_changes_of_what_cancels_a_bias(change):
    model, other = conv_pair()
    for each in (model, other):
        CONV_CHANGES[change](each)
    agree_in_training(model, other)


def test_a_call_that_ends_before_the_normalisation():
    model, other = conv_pair()
    x = torch.randn(5, 3, 2, 6, 6, dtype=torch.float64)
    model[0](x)
    for each in (model, other):
        each.eval()
        # Computed by PyTorch.
        each[2].surrogate_function = surrogate.ATan(spiking=False)
    torch.testing.assert_close(model(x), other(x))


def test_evaluation_between_convolution_and_normalisation():
    results = []
    for each in conv_pair():
        x = torch.randn(5, 3, 2, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        y = each[0](x)
        each[1].eval()
        results.append(each[2](each[1](y)))
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("first, last", [(0, 1), (0, 2), (0, 3), (1, 3)], ids=str)
def test_checkpoints(first, last):
    """Layers that are computed again update running statistics again; with the bias that the convolution has left out."""
    from torch.utils.checkpoint import checkpoint

    model, other = conv_pair()
    sn.accelerate(model, keep_states=False, fuse_batch_norm=True)
    x = torch.randn(5, 3, 2, 6, 6, dtype=torch.float64)
    again = torch.nn.Sequential(*list(model)[first:last])
    y = checkpoint(again, model[:first](x), use_reentrant=False)
    y = model[last:](y) if last < 3 else y
    y.square().sum().backward()
    other(x).square().sum().backward()
    for own, theirs in zip(model.parameters(), other.parameters()):
        torch.testing.assert_close(own.grad, theirs.grad)
    # Of the same input, any number of times: a sum of shares of the same mean.
    share = 1 - (1 - 0.1) ** int(model[1].num_batches_tracked)
    torch.testing.assert_close(model[1].running_mean / share, other[1].running_mean / 0.1)


def replica(module):
    """As `torch.nn.DataParallel` makes them: they share buffers with the model."""
    made = module._replicate_for_data_parallel()
    for name, parameter in module._parameters.items():
        setattr(made, name, parameter)
    for name, child in module._modules.items():
        made._modules[name] = replica(child)
    return made


def test_replicas_keep_their_biases():
    model, other = conv_pair()
    x = torch.randn(5, 3, 2, 6, 6, dtype=torch.float64)
    for each in (model, other):
        replica(each)(x)
    torch.testing.assert_close(model[1].running_mean, other[1].running_mean)


def deep_pair():
    """As `conv_pair`, each layer in a container of its own."""
    torch.manual_seed(0)
    layers = [layer.Conv2d(2, 4, 3, step_mode="m"), layer.BatchNorm2d(4, step_mode="m"), made("LIFNode")]
    other = torch.nn.Sequential(*map(torch.nn.Sequential, layers)).double()
    with torch.no_grad():
        other[0][0].bias.fill_(3.0)
    model = copy.deepcopy(other)
    assert sn.accelerate(model, fuse_batch_norm=True).left_out == {"0.0": "1.0"}
    return model, other


@pytest.mark.parametrize("at", [0, 1, 2])
def test_containers_that_are_replaced(at):
    model, other = deep_pair()
    new = [layer.Conv2d(2, 4, 3, step_mode="m"), layer.BatchNorm2d(4, step_mode="m"), made("LIFNode", tau=1.5)][at].double()
    for each in (model, other):
        each[at] = torch.nn.Sequential(copy.deepcopy(new))
    agree_in_training(model, other)


def test_convolutions_that_are_restored_after_a_step():
    model, other = conv_pair()
    agree_in_training(model, other, steps=1)
    ours.restore(model[0])
    for each in (model, other):
        functional.reset_net(each)
    agree_in_training(model, other)


def test_convolutions_in_two_models():
    model, other = conv_pair()
    second = torch.nn.Sequential(model[0], layer.BatchNorm2d(4, step_mode="m"), made("LIFNode")).double()
    unfused = torch.nn.Sequential(other[0], *copy.deepcopy(second[1:]))
    assert sn.accelerate(second, fuse_batch_norm=True).left_out == {}
    agree_in_training(model, other)
    agree_in_training(second, unfused)


def test_copies_of_layers():
    model, other = conv_pair()
    agree_in_training(model, other, steps=1)
    # States are part of a graph, and layers are copied without them.
    copies = [copy.deepcopy(each[0]) for each in (model, other)]
    rest = torch.nn.Sequential(layer.BatchNorm2d(4, step_mode="m"), made("LIFNode")).double()
    agree_in_training(*[torch.nn.Sequential(own, *copy.deepcopy(rest)) for own in copies])
    for each in (model, other):
        functional.reset_net(each)
    agree_in_training(copy.deepcopy(model), other)


def test_transforms_of_fused_models():
    model, other = conv_pair(track_running_stats=False)
    sn.accelerate(other)
    x = torch.randn(5, 3, 2, 6, 6, dtype=torch.float64)

    def grads(each):
        functional.reset_net(each)
        loss = lambda parameters: torch.func.functional_call(each, parameters, x).square().sum()
        return torch.func.grad(loss)(dict(each.named_parameters()))

    torch.testing.assert_close(grads(model), grads(other))


class Readers(torch.nn.Module):
    """A convolution whose output has two readers."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = layer.Conv2d(2, 4, 3, step_mode="m"), layer.BatchNorm2d(4, step_mode="m")
        self.node = made("LIFNode")

    def forward(self, x):
        y = self.conv(x)
        return self.node(self.norm(y)) + y


def test_a_convolution_with_two_readers():
    model = Readers().double()
    other, x = copy.deepcopy(model), torch.randn(5, 3, 2, 6, 6, dtype=torch.float64)
    assert sn.accelerate(model, fuse_batch_norm=True).left_out == {}
    torch.testing.assert_close(model(x), other(x))


class Called(torch.nn.Module):
    """A convolution in containers, whose output is seen in several ways."""

    def __init__(self, calls_conv):
        super().__init__()
        self.calls_conv = calls_conv
        self.block = layer.SeqToANNContainer(torch.nn.Conv2d(2, 4, 3), torch.nn.BatchNorm2d(4)) if calls_conv else None
        self.conv = torch.nn.Sequential(torch.nn.Sequential(layer.Conv2d(2, 4, 3, step_mode="m")))
        self.norm, self.node = layer.BatchNorm2d(4, step_mode="m"), made("LIFNode")

    def forward(self, x):
        if self.calls_conv:
            return self.node(self.block(x)) + self.block[0](x.flatten(0, 1)).unflatten(0, x.shape[:2])
        return self.node(self.norm(self.conv(x)))


def test_a_convolution_that_is_called_by_itself_as_well():
    model = Called(True).double()
    other, x = copy.deepcopy(model), torch.randn(5, 3, 2, 6, 6, dtype=torch.float64)
    assert sn.accelerate(model, fuse_batch_norm=True).left_out == {}
    torch.testing.assert_close(model(x), other(x))


def test_hooks_of_containers_see_the_bias():
    model = Called(False).double()
    other, x, seen = copy.deepcopy(model), torch.randn(5, 3, 2, 6, 6, dtype=torch.float64), []
    assert sn.accelerate(model, fuse_batch_norm=True).left_out == {"conv.0.0": "norm"}
    for each in (model, other):
        each.conv.register_forward_hook(lambda module, args, output: seen.append(output))
        each(x)
    torch.testing.assert_close(*seen)


def test_convolutions_of_pytorch_are_fused_again():
    model = torch.nn.Sequential(torch.nn.Conv2d(2, 4, 3), torch.nn.BatchNorm2d(4), made("LIFNode"))
    functional.set_step_mode(model, "s")
    for _ in range(2):
        assert sn.accelerate(model, fuse_batch_norm=True).left_out == {"0": "1"}


def test_fused_models_are_compiled():
    model, other = conv_pair()
    x = torch.randn(5, 3, 2, 6, 6, dtype=torch.float64)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    for run in (compiled, model, compiled):
        for each in (model, other):
            functional.reset_net(each)
        torch.testing.assert_close(run(x), other(x))
        torch.testing.assert_close(model.state_dict(), other.state_dict())
    # The node alone, after a normalisation that has passed its input on.
    for each in (model, other):
        functional.reset_net(each)
    node = torch.compile(lambda x: model[2](x), backend="eager")
    torch.testing.assert_close(node(model[1](model[0](x))), other(x))
    torch.testing.assert_close(model.state_dict(), other.state_dict())


def test_inference_mode():
    model, other = conv_pair()
    x = torch.randn(5, 3, 2, 6, 6, dtype=torch.float64)
    for each in (model, other):
        each.eval()
    with torch.inference_mode():
        torch.testing.assert_close(model(x), other(x))


def test_pooling_layers_are_replaced():
    model = torch.nn.Sequential(layer.MaxPool2d(2, step_mode="m"), torch.nn.Flatten(0, 1), torch.nn.MaxPool2d(2)).double()
    other, x = copy.deepcopy(model), torch.randn(3, 2, 4, 8, 8, dtype=torch.float64)
    assert sn.accelerate(model).pools == ["0", "2"] == sn.accelerate(model).pools
    assert all(isinstance(model[at], sn.nn.MaxPool2d) for at in (0, 2))
    for each in (model, pickle.loads(pickle.dumps(model))):
        assert torch.equal(each(x), other(x))
    functional.set_step_mode(model, "s")
    assert torch.equal(model[0](x[0]), other[0](x)[0])
    ours.restore(model)
    assert [type(module) for module in model] == [type(module) for module in other]
