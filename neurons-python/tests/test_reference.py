"""Every reference case, by functions and modules, and those of IF, LIF and PLIF by the names of 2020."""

import pytest
import torch
from reference import Case, paths

import spiking_neurons as sn
from spiking_neurons import functional as F
from spiking_neurons.cext import neuron as cext

#: Names of neurons, and of their states behind `v`.
NAMES = {"if": "If", "lif": "Lif", "plif": "Plif", "qif": "Qif", "eif": "Eif", "izhikevich": "AdaptiveQif"}
TOLERANCE = {torch.float64: {"rtol": 1e-9, "atol": 1e-10}, torch.float32: {"rtol": 1e-4, "atol": 1e-5}}


@pytest.fixture(params=paths())
def case(request):
    return Case(request.param)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_functions(case, dtype, device):
    def near(ours, theirs):
        torch.testing.assert_close(ours.cpu().double(), theirs, **TOLERANCE[dtype])

    def given(name):
        return case.tensors[name].to(device, dtype).requires_grad_()

    surrogate = type(sn.surrogate.of(case.surrogate))(case.alpha)
    values = {key: value for key, value in case.params.items() if key != "w"}
    neuron = sn.Neuron(
        NAMES[case.neuron], v_threshold=case.v_threshold, v_reset=case.v_reset, surrogate=surrogate,
        detach_reset=case.detach_reset, **values,
    )  # fmt: skip
    x_seq, states = given("x_seq"), [given("v_init")]
    has_w = "w_init" in case.tensors
    if has_w:
        states.append(given("w_init"))
    parameters = {}
    if "w" in case.params:
        parameters["w"] = torch.full((1,), case.params["w"], dtype=dtype, device=device, requires_grad=True)
    spike_seq, *next_states = F.multi_step(neuron, x_seq, states, parameters)
    near(spike_seq, case.spike_seq)
    near(next_states[0], case.v_next)
    grads = [case.grad_spike_seq, case.grad_v_next] + ([case.grad_w_next] if has_w else [])
    torch.autograd.backward([spike_seq, *next_states], [grad.to(device, dtype) for grad in grads])
    near(x_seq.grad, case.grad_x_seq)
    near(states[0].grad, case.grad_v_init)
    if has_w:
        near(next_states[1], case.w_next)
        near(states[1].grad, case.grad_w_init)
    if parameters:
        near(parameters["w"].grad, case.grad_w)


@pytest.mark.parametrize("multi", [True, False])
def test_names_of_2020(case, multi):
    kind = {"if": "IF", "lif": "LIF", "plif": "ParametricLIF"}.get(case.neuron)
    index = {"atan": 0, "sigmoid": 1}.get(case.surrogate)
    if kind is None or index is None:
        pytest.skip(f"2020 had no {case.neuron} with {case.surrogate}")
    own = ()
    if kind == "LIF":
        own = (1 / case.params["tau"], not case.params["decay_input"])
    elif kind == "ParametricLIF":
        w = torch.tensor(case.params["w"], dtype=torch.float64)
        own = (w.sigmoid(), not case.params["decay_input"])
    reset = "soft" if case.v_reset is None else "hard"
    thresholds = (case.v_threshold,) if reset == "soft" else (case.v_threshold, case.v_reset)
    surrogate = (case.alpha, case.detach_reset, index)
    suffix = "fptt" if multi else "forward"
    plain = getattr(cext, f"{kind}_{reset}_reset_{suffix}")
    with_grad = getattr(cext, f"{kind}_{reset}_reset_{suffix}_with_grad")
    gradients = getattr(cext, f"{kind}_{'bptt' if multi else 'backward'}")
    near = lambda ours, theirs: torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-10)
    if multi:
        spike_seq, v_next, *factors = with_grad(case.x_seq, case.v_init, *thresholds, *surrogate, *own)
        assert torch.equal(plain(case.x_seq, case.v_init, *thresholds, *own)[0], spike_seq)
        grad_x, grad_v, *learned = gradients(case.grad_spike_seq, case.grad_v_next, *factors, *own)
        near(factors[0], case.grad_s_to_h)
        near(factors[1], case.grad_v_to_h)
    else:
        v, spikes, kept = case.v_init, [], []
        for x in case.x_seq:
            spike, expected = plain(x, v, *thresholds, *own)
            spike2, v, *factors = with_grad(x, v, *thresholds, *surrogate, *own)
            assert torch.equal(spike, spike2) and torch.equal(v, expected)
            spikes.append(spike)
            kept.append(factors)
        spike_seq, v_next = torch.stack(spikes), v
        grad_v, grads, sums = case.grad_v_next, [], []
        for grad_spike, factors in zip(case.grad_spike_seq.flip(0), reversed(kept)):
            grad, grad_v, *learned = gradients(grad_spike, grad_v, *factors, *own)
            grads.append(grad)
            sums.append(learned)
        grad_x = torch.stack(grads[::-1])
        learned = [sum(parts) for parts in zip(*sums)]
    near(spike_seq, case.spike_seq)
    near(v_next, case.v_next)
    near(grad_x, case.grad_x_seq)
    near(grad_v, case.grad_v_init)
    if kind == "ParametricLIF":
        r = own[0]
        near(learned[0] * r * (1 - r), case.grad_w)
