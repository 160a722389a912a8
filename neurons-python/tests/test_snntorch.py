"""What the tutorial says of snnTorch's neurons and surrogates: the same spikes and gradients."""

import math

import pytest
import torch

snntorch = pytest.importorskip("snntorch", reason="snntorch is not installed")
from snntorch import surrogate  # noqa: E402

import spiking_neurons as sn  # noqa: E402

ALPHA, BETA = 0.8, 0.9
TAU = 1 / (1 - BETA)


def loop(neuron, x_seq):
    """Spikes and potentials of a neuron of snnTorch, step by step."""
    outputs, state = [], []
    for x in x_seq:
        spike, *state = neuron(x, *state)
        outputs.append((spike, state[-1]))
    return [torch.stack(values) for values in zip(*outputs)]


def inputs():
    return torch.randn(30, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_spikes_and_gradients():
    beta = torch.tensor(BETA, dtype=torch.float64)
    theirs = snntorch.Leaky(beta=beta, reset_mechanism="zero")
    ours = sn.Lif(tau=TAU, decay_input=False, detach_reset=True, step_mode="m")
    given = [inputs().requires_grad_() for _ in range(2)]
    expected, result = loop(theirs, given[0])[0], ours(given[1])
    assert torch.equal(result, expected) and result.any()
    weights = torch.linspace(0.5, 1.5, 30, dtype=torch.float64)[:, None]
    for spike_seq in (expected, result):
        (spike_seq * weights).sum().backward()
    torch.testing.assert_close(given[1].grad, given[0].grad)


def test_potential_of_the_last_layer():
    beta = torch.tensor(BETA, dtype=torch.float64)
    expected = loop(snntorch.Leaky(beta=beta, reset_mechanism="none"), inputs())[1]
    result = sn.LeakyIntegrator(tau=TAU, decay_input=False, step_mode="m")(inputs())
    torch.testing.assert_close(result, expected)


def test_current():
    alpha, beta = (torch.tensor(value, dtype=torch.float64) for value in (ALPHA, BETA))
    expected = loop(snntorch.Synaptic(alpha=alpha, beta=beta, reset_mechanism="none"), inputs())[1]
    layer = sn.CubaLif(tau_syn=1 / (1 - ALPHA), tau_mem=TAU, v_threshold=1e9, step_mode="m", store_v_seq=True)
    layer(inputs())
    torch.testing.assert_close(layer.v_seq, expected)


def test_learned_decay():
    theirs = snntorch.Leaky(beta=torch.tensor(BETA, dtype=torch.float64), reset_mechanism="zero", learn_beta=True)
    w = torch.full((1,), math.log((1 - BETA) / BETA), dtype=torch.float64)
    ours = sn.Plif(w=w, decay_input=False, detach_reset=True, step_mode="m")
    expected, result = loop(theirs, inputs())[0], ours(inputs())
    assert torch.equal(result, expected)
    expected.sum().backward()
    result.sum().backward()
    # beta = 1 - sigmoid(w).
    torch.testing.assert_close(ours.w.grad, (theirs.beta.grad * -BETA * (1 - BETA)).reshape(1))


@pytest.mark.parametrize(
    "theirs, ours",
    [
        (surrogate.atan(3.0), sn.surrogate.ATan(3.0)),
        (surrogate.fast_sigmoid(10.0), sn.surrogate.FastSigmoid(10.0)),
        (surrogate.sigmoid(5.0), sn.surrogate.Sigmoid(5.0)),
    ],
    ids=["atan", "fast_sigmoid", "sigmoid"],
)
def test_surrogates(theirs, ours):
    u = torch.linspace(-2.0, 2.0, 41, dtype=torch.float64)
    expected, x = u.clone().requires_grad_(), (u + 1.0).requires_grad_()
    theirs(expected).sum().backward()
    sn.functional.if_step(x, surrogate=ours)[0].sum().backward()
    torch.testing.assert_close(x.grad, expected.grad)
