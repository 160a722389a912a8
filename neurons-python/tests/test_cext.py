"""The module of 2020 by its names: autograd functions, layers, templates, a network that learns."""

import importlib
import subprocess
import sys

import pytest
import torch

import spiking_neurons as sn
from spiking_neurons.cext import neuron as cext

NAMES = """hard_reset_forward_template hard_reset_fptt_template soft_reset_forward_template soft_reset_fptt_template
hard_reset_forward_with_grad_template hard_reset_fptt_with_grad_template soft_reset_forward_with_grad_template
soft_reset_fptt_with_grad_template backward_template bptt_template LIF_hard_reset_forward LIF_hard_reset_fptt
LIF_hard_reset_forward_with_grad LIF_hard_reset_fptt_with_grad LIF_backward LIF_bptt IF_hard_reset_forward IF_hard_reset_fptt
IF_hard_reset_forward_with_grad IF_hard_reset_fptt_with_grad IF_backward IF_bptt LIFStep LIFMultiStep IFStep IFMultiStep BaseNode
IFNode MultiStepIFNode LIFNode MultiStepLIFNode ParametricLIF_backward ParametricLIF_bptt""".split()


def test_names():
    assert set(NAMES) <= set(cext.__all__)
    assert all(
        hasattr(cext, name) and getattr(cext, name).__doc__
        for name in cext.__all__
        if name != "surrogate_function_dict"
    )


@pytest.mark.parametrize("v_reset", [0.0, -0.5, None])
@pytest.mark.parametrize("kind", ["LIF", "IF"])
def test_layers_are_those_of_this_package(kind, v_reset, device):
    own = {"tau": 2.0} if kind == "LIF" else {}
    options = {"v_reset": v_reset, "detach_reset": True, **own}
    single = getattr(cext, f"{kind}Node")(surrogate_function="Sigmoid", alpha=4.0, **options)
    multi = getattr(cext, f"MultiStep{kind}Node")(surrogate_function="Sigmoid", alpha=4.0, **options)
    ours = getattr(sn, kind.capitalize())(surrogate=sn.surrogate.Sigmoid(4.0), step_mode="m", **options)
    x = torch.randn(9, 2, 5, device=device)
    results = []
    for layer in (lambda x: torch.stack([single(step) for step in x]), multi, ours):
        given = x.clone().requires_grad_()
        spikes = layer(given)
        spikes.cumsum(0).sum().backward()
        results.append((spikes.detach(), given.grad))
    assert torch.equal(results[0][0], results[2][0]) and torch.equal(results[1][0], results[2][0])
    assert torch.equal(results[0][1], results[2][1]) and torch.equal(results[1][1], results[2][1])
    assert torch.equal(single.v, multi.v) and torch.equal(single.v, ours.v)
    for layer in (single, multi):
        layer.reset()
        assert layer.v == (0.0 if v_reset is None else v_reset)
    multi.eval()
    assert torch.equal(multi(x), results[0][0]) and not multi.v.requires_grad


def test_defaults_and_what_is_shown():
    assert cext.LIFNode().extra_repr() == (
        "v_threshold=1.0, v_reset=0.0, detach_reset=False, surrogate_function=ATan, alpha=2.0, tau=100.0"
    )
    with pytest.raises(ValueError, match="unknown surrogate function 'Tan'; known are ATan, Sigmoid"):
        cext.IFNode(surrogate_function="Tan")
    with pytest.raises(ValueError, match="0 is ATan, 1 is Sigmoid"):
        cext.IFStep.apply(torch.ones(2, requires_grad=True), torch.zeros(2), 1.0, 0.0, 2.0, False, 2)
    with pytest.raises(ValueError, match="`v` has shape"):
        cext.IF_hard_reset_forward(torch.ones(3), torch.zeros(2), 1.0, 0.0)


def test_autograd_functions():
    x = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    v = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    spike, v_next = cext.LIFMultiStep.apply(x, v, 1.0, 0.0, 2.0, True, 0, 0.5, False)
    grads = torch.autograd.grad([spike, v_next], [x, v], [torch.ones_like(spike), torch.ones_like(v)])
    spike2, v2 = sn.functional.lif_multi_step(x, v, tau=2.0, detach_reset=True)
    expected = torch.autograd.grad([spike2, v2], [x, v], [torch.ones_like(spike), torch.ones_like(v)])
    assert torch.equal(spike, spike2) and all(map(torch.equal, grads, expected))
    spike, v_next = cext.LIFMultiStep.apply(x, v, 1.0, 0.0, 2.0, True, 0, 0.5, False)
    with pytest.raises(RuntimeError, match="no second derivative"):
        torch.autograd.grad(v_next.sum(), x, create_graph=True)


@pytest.mark.parametrize(
    "neuron, own", [("Qif", {"tau": 3.0}), ("Eif", {}), ("Klif", {"k": 1.5}), ("Lif", {"tau": 2.0})]
)
@pytest.mark.parametrize("reset", ["hard", "soft"])
def test_templates(neuron, own, reset):
    x, v = torch.randn(5, 4) * 0.5, torch.zeros(4)
    thresholds = (1.0, 0.0) if reset == "hard" else (1.0,)
    get = lambda name: getattr(cext, name)
    spike_seq, v_next = get(f"{reset}_reset_fptt_template")(x, v, *thresholds, neuron, **own)
    outputs = get(f"{reset}_reset_fptt_with_grad_template")(x, v, *thresholds, 2.0, False, 0, neuron, **own)
    assert torch.equal(outputs[0], spike_seq) and torch.equal(outputs[1], v_next)
    grad = torch.ones_like(x)
    grad_x_seq, grad_v, *_ = cext.bptt_template(grad, torch.ones(4), *outputs[2:], neuron=neuron, **own)
    held, kept = v, []
    for t in range(5):
        assert torch.equal(
            get(f"{reset}_reset_forward_template")(x[t], held, *thresholds, neuron, **own)[0], spike_seq[t]
        )
        _, held, *saved = get(f"{reset}_reset_forward_with_grad_template")(
            x[t], held, *thresholds, 2.0, False, 0, neuron, **own
        )
        kept.append(saved)
    grad_held = torch.ones(4)
    for t in reversed(range(5)):
        grad_x, grad_held, *_ = cext.backward_template(grad[t], grad_held, *kept[t], neuron=neuron, **own)
        assert torch.equal(grad_x, grad_x_seq[t])
    assert torch.equal(grad_held, grad_v)


def test_a_network_learns():
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(8, 32), cext.MultiStepLIFNode(tau=2.0), torch.nn.Linear(32, 2), cext.MultiStepIFNode()
    )
    x = torch.randn(64, 8)
    labels = (x[:, 0] > x[:, 1]).long()
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(60):
        network[1].reset()
        network[3].reset()
        loss = torch.nn.functional.cross_entropy(network(x.expand(8, -1, -1)).mean(0) * 4, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("present", [True, False])
def test_install(present):
    if present and importlib.util.find_spec("spikingjelly") is None:
        pytest.skip("spikingjelly is not installed")
    script = f"""
import sys
if not {present}:
    sys.path[:] = [path for path in sys.path if "spikingjelly" not in path]
    class Hidden:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] == "spikingjelly":
                raise ModuleNotFoundError(name)
    sys.meta_path.insert(0, Hidden())
from spiking_neurons import cext
cext.install()
import spikingjelly.cext.neuron
from spikingjelly.cext.neuron import MultiStepLIFNode
assert MultiStepLIFNode is cext.neuron.MultiStepLIFNode
if {present}:
    from spikingjelly.activation_based import neuron
"""
    subprocess.run([sys.executable, "-c", script], check=True)
