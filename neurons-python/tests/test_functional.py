"""Functions with explicit states: values, gradients, and that all ways to compute something agree."""

import pytest
import torch
from conftest import SPECS, drive, parameters, variants

import spiking_neurons as sn
from spiking_neurons import functional as F
from spiking_neurons._autograd import Differentiable
from spiking_neurons._call import Call

DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16]


def run_with_gradients(neuron, name, inputs, states, params, multi=True):
    """Outputs, and the gradients of a weighted sum of them."""
    leaves = [*inputs, *states, *params.values()]
    for leaf in leaves:
        leaf.grad = None
        leaf.requires_grad_()
    outputs = (F.multi_step if multi else F.step)(neuron, inputs, states, params)
    generator = torch.Generator().manual_seed(5)
    loss = sum(
        (o.double().cpu() * torch.randn(o.shape, generator=generator, dtype=torch.float64)).sum() for o in outputs
    )
    loss.backward()
    return [output.detach() for output in outputs], [leaf.grad for leaf in leaves]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name, options", variants())
def test_sequence_is_its_steps(name, options, dtype, device):
    neuron = sn.Neuron(name, **options)
    inputs = drive(name, (11, 3, 5), dtype, device)
    output, *states = F.multi_step(neuron, inputs)
    assert output.dtype == dtype and output.shape == (11, 3, 5)
    held = None
    for t in range(11):
        out, *held = F.step(neuron, [x[t] for x in inputs], held)
        assert torch.equal(out, output[t]), t
    for state, other in zip(states, held):
        assert state.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
        assert torch.equal(state, other)


@pytest.mark.parametrize("name", SPECS)
def test_neurons_fire(name):
    output, *_ = F.multi_step(sn.Neuron(name), drive(name, (40, 64)))
    if SPECS[name]["fires"]:
        assert set(output.unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("name, options", variants())
def test_gradients_of_all_ways_are_the_same_bits(name, options, device, monkeypatch):
    neuron = sn.Neuron(name, surrogate="Sigmoid", **options)
    params = parameters(name, device=device)
    inputs = drive(name, (19, 2, 7), device=device)
    states = [torch.full((2, 7), value, device=device) for value in neuron.initial_state]
    results = []
    for lean in (True, False):
        monkeypatch.setattr(Call, "is_lean", lambda self, x: lean)
        results.append(run_with_gradients(neuron, name, inputs, states, params))
    monkeypatch.undo()
    # Step by step, through the states.
    for leaf in (*inputs, *states, *params.values()):
        leaf.grad = None
    held, outs = states, []
    for t in range(19):
        out, *held = F.step(neuron, [x[t] for x in inputs], held, params)
        outs.append(out)
    outputs = [torch.stack(outs), *held]
    generator = torch.Generator().manual_seed(5)
    loss = sum(
        (o.double().cpu() * torch.randn(o.shape, generator=generator, dtype=torch.float64)).sum() for o in outputs
    )
    loss.backward()
    (lean_out, lean_grad), (out, grad) = results
    assert all(map(torch.equal, lean_out, out)) and all(map(torch.equal, lean_grad, grad))
    assert all(map(torch.equal, outputs, out))
    for leaf, expected in zip((*inputs, *states), grad):
        assert torch.equal(leaf.grad, expected)
    for leaf, expected in zip(params.values(), grad[len(inputs) + len(states) :]):
        # Added up over steps in another order.
        torch.testing.assert_close(leaf.grad, expected, rtol=1e-4, atol=1e-4)
    assert any(g.abs().sum() > 0 for g in grad)


# The others have a rounded value or a comparison besides the spike, whose steps finite differences see.
SMOOTH = [variant for variant in variants() if variant.values[0] not in ("Ilif", "RefractoryLif")]


@pytest.mark.parametrize("name, options", SMOOTH)
def test_gradcheck_of_the_relaxed_model(name, options):
    neuron = sn.Neuron(name, surrogate="Sigmoid", relaxed=True, **options)
    inputs = [x.requires_grad_() for x in drive(name, (4, 3), torch.float64, seed=3)]
    states = [torch.full((3,), v, dtype=torch.float64, requires_grad=True) for v in neuron.initial_state]
    params = parameters(name, torch.float64, requires_grad=True)
    count = len(inputs)

    def call(*leaves):
        given = dict(zip(params, leaves[count + len(states) :]))
        return F.multi_step(neuron, leaves[:count], leaves[count : count + len(states)], given)

    assert torch.autograd.gradcheck(call, (*inputs, *states, *params.values()), atol=1e-5, rtol=1e-3)


def test_relaxed_needs_the_cpu():
    with pytest.raises(ValueError, match="CPU only"):
        sn.Neuron("Lif", relaxed=True)._model.plan(
            "fptt_with_grad", "f32", 0, surrogate="ATan", parameters=[], detach_reset=False, relaxed=True
        )


def test_named_functions():
    x_seq = torch.rand(5, 4) * 3
    spike_seq, v = F.lif_multi_step(x_seq, tau=2.0, reset="soft", surrogate=sn.surrogate.Sigmoid(4.0))
    neuron = sn.Neuron("Lif", tau=2.0, v_reset=None, surrogate=sn.surrogate.Sigmoid(4.0))
    assert all(map(torch.equal, (spike_seq, v), F.multi_step(neuron, x_seq)))
    spike, v = F.plif_step(x_seq[0], 0.25, w=torch.zeros(4))
    assert torch.equal(v, torch.where(spike == 1, 0, 0.25 + (x_seq[0] - 0.25) / 2))
    spike_seq, v, u = F.izhikevich_multi_step(x_seq, u=torch.zeros(4))
    assert u.shape == (4,)
    with pytest.raises(TypeError, match="x_seq, v expected, 3 arguments given"):
        F.lif_multi_step(x_seq, None, None)


def test_v_seq_with_and_without_gradient(device):
    neuron = sn.Neuron("Lif", tau=2.0)
    x_seq = torch.randn(9, 6, device=device) * 3
    spike, v, v_seq = F.multi_step_with_v(neuron, x_seq)
    x_seq.requires_grad_()
    outputs = F.multi_step_with_v(neuron, x_seq)
    assert all(map(torch.equal, outputs, (spike, v, v_seq)))
    # A potential that is not reset yet depends on the inputs with known slopes.
    outputs[2][0].sum().backward()
    assert x_seq.grad[1:].abs().sum() == 0
    quiet = spike[0] == 0
    assert torch.equal(x_seq.grad[0][quiet] != 0, torch.ones_like(quiet)[quiet])


def test_packed_spikes(device):
    x_seq = torch.randn(5, 3, 23, device=device) * 3
    neuron = sn.Neuron("Lif", tau=2.0)
    bits, v = F.multi_step_packed(neuron, x_seq)
    spikes, expected = F.multi_step(neuron, x_seq)
    assert bits.shape == (5, 3) and bits.dtype == torch.int32 and torch.equal(v, expected)
    shifts = torch.arange(32, device=device)
    unpacked = ((bits[..., None] >> shifts) & 1).flatten(1)[:, : 3 * 23]
    assert torch.equal(unpacked.float(), spikes.flatten(1))


def test_plan_by_bytes():
    neuron = sn.Neuron("Lif")
    call = Call(neuron, torch.float32, torch.device("cpu"), True)
    x = torch.zeros(16, 8)
    assert call.is_lean(x)
    assert neuron._model.keep("f32", 16, 8) == "lean"
    assert isinstance(
        Differentiable.apply(call, True, x.requires_grad_(), torch.zeros(8))[0].grad_fn,
        torch.autograd.function.BackwardCFunction,
    )
