"""Arrays that a call leaves out: fresh states, final states that nobody wants, and the gradients of both."""

import pytest
import torch
from conftest import SPECS, drive, parameters

import spiking_neurons as sn
from spiking_neurons import functional as F
from spiking_neurons._call import Call, is_same

DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16]


@pytest.mark.parametrize("lean", [True, False])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SPECS)
def test_fresh_states_give_the_same_bits_as_tensors(name, dtype, lean, device, monkeypatch):
    monkeypatch.setattr(Call, "is_lean", lambda self, x: lean)
    neuron = sn.Neuron(name)
    real = torch.float64 if dtype == torch.float64 else torch.float32
    params = parameters(name, real, device, requires_grad=True)
    for shape, function in (((11, 3, 5), F.multi_step), ((3, 5), F.step)):
        inputs = [x.requires_grad_() for x in drive(name, shape, dtype, device)]
        full = [torch.full((3, 5), value, dtype=real, device=device) for value in neuron.initial_state]
        results = []
        # Tensors whose gradients are wanted, tensors, none.
        for states in ([state.clone().requires_grad_() for state in full], full, None):
            outputs = function(neuron, inputs, states, params)
            results.append([output.detach() for output in outputs])
            # The gradients of the final states are left out, then given.
            for some in (outputs[:1], outputs):
                loss = sum(output.double().cumsum(0).sum() for output in some)
                results[-1] += torch.autograd.grad(loss, [*inputs, *params.values()], retain_graph=True)
            with torch.no_grad():
                results[-1] += function(neuron, inputs, states, params)
        for others in results[1:]:
            assert all(map(torch.equal, results[0], others))


def test_no_memory_for_fresh_states():
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.shape) or tensor, lambda t: t):
        F.lif_multi_step(torch.rand(8, 3, 5, requires_grad=True), tau=2.0)
    assert kept == [(8, 3, 5)]


class Recorded:
    """A plan, and which arrays the last call left out."""

    def __init__(self, plan):
        self.plan, self.inputs, self.outputs = plan, plan.inputs, plan.outputs

    def __call__(self, *arrays):
        roles = [role for role, _ in (*self.inputs, *self.outputs)]
        self.left_out = [role for role, array in zip(roles, arrays) if array is None]
        self.plan(*arrays)


def test_what_is_left_out(device):
    neuron = sn.Neuron("Lif")
    x = torch.rand(9, 6, device=device, requires_grad=True)
    call = Call(neuron, torch.float32, x.device, True)
    for template in ("fptt", "lean_fptt", "lean_bptt"):
        call._plans[template] = Recorded(call.plan(template))
    left_out = lambda template: call._plans[template].left_out
    (output,) = F.run_arranged(call, (x, None), final=False)
    assert left_out("lean_fptt") == ["state", "next_state"]
    output.sum().backward()
    assert left_out("lean_bptt") == ["state", "grad_next_state", "grad_state"]
    v = torch.rand(6, device=device, requires_grad=True)
    sum(output.sum() for output in F.run_arranged(call, (x, v))).backward()
    assert left_out("lean_fptt") == left_out("lean_bptt") == [] and v.grad is not None
    with torch.no_grad():
        assert len(F.run_arranged(call, (x, None), final=False)) == 1
    assert left_out("fptt") == ["state", "next_state"]


def test_numbers_that_are_initial_values():
    assert is_same(0.0, 0.0) and not is_same(0.0, 0.5)
    assert not is_same(0.0, -0.0), "the sign of a zero can be that of a result"
    x = torch.rand(4, 3)
    assert all(map(torch.equal, F.lif_multi_step(x, 0.25), F.lif_multi_step(x, torch.full((3,), 0.25))))


def test_other_arrays_are_needed():
    plan = Call(sn.Neuron("Lif"), torch.float32, torch.device("cpu"), True).plan("fptt")
    x, output, v = torch.rand(4, 3), torch.empty(4, 3), torch.zeros(3)
    with pytest.raises(TypeError, match="`x_seq` is a NoneType"):
        plan(None, v, output, v.clone())
    with pytest.raises(TypeError, match="`spike_seq` is a NoneType"):
        plan(x, v, None, v.clone())
    with pytest.raises(ValueError, match=r"`v` has shape \[0\], \[3\] expected"):
        plan(x, torch.empty(0), output, v)


@pytest.mark.parametrize("store_v_seq", [False, True])
def test_modules_that_keep_no_state(store_v_seq, device):
    x = torch.rand(5, 2, 3, device=device) * 3
    kept = sn.Lif(tau=2.0, step_mode="m", store_v_seq=store_v_seq)
    layer = sn.Lif(tau=2.0, step_mode="m", store_v_seq=store_v_seq, keep_state=False)
    expected = kept(x)
    for _ in range(2):
        given = x.clone().requires_grad_()
        assert torch.equal(layer(given), expected) and layer.v == 0.0
        assert not store_v_seq or torch.equal(layer.v_seq, kept.v_seq)
    # What is set stays.
    layer.v = kept.v
    again = kept(x)
    assert torch.equal(layer(x), again) and torch.equal(layer(x), again)
    layer.step_mode = "s"
    layer(x[0])
    assert not torch.equal(layer.v, kept.v), "steps need the state of the step before"


def test_spikingjelly_models_that_keep_no_state(device):
    pytest.importorskip("spikingjelly", reason="spikingjelly is not installed")
    from spikingjelly.activation_based import functional, neuron

    x = torch.rand(5, 2, 3, device=device) * 3
    theirs = neuron.LIFNode(step_mode="m")
    expected = theirs(x)
    functional.reset_net(theirs)
    assert sn.accelerate(theirs, keep_states=False).replaced
    for _ in range(2):
        given = x.clone().requires_grad_()
        assert torch.equal(theirs(given), expected) and theirs.v == 0.0
    # Also where the call is theirs.
    theirs.surrogate_function.spiking = False
    assert torch.equal(theirs(x), theirs(x)) and theirs.v == 0.0
