"""Modules: state, step modes, learnable parameters, copies, and what they show of themselves."""

import copy
import pickle

import pytest
import torch
from conftest import SPECS, drive

import spiking_neurons as sn
from spiking_neurons import functional as F


@pytest.mark.parametrize("name", SPECS)
def test_steps_are_a_sequence(name, device):
    inputs = drive(name, (6, 2, 3), device=device)
    single, multi = getattr(sn, name)().to(device), getattr(sn, name)(step_mode="m").to(device)
    outputs = torch.stack([single(*[x[t] for x in inputs]) for t in range(6)])
    assert torch.equal(outputs, multi(*inputs))
    assert single.states.keys() == multi.states.keys()
    assert all(torch.equal(single.states[key], multi.states[key]) for key in single.states)
    multi.reset()
    assert multi.states == dict(zip(multi.states, multi.neuron.initial_state))


def test_state_before_between_and_after():
    layer = sn.Izhikevich()
    assert (layer.v, layer.u) == (-65.0, -13.0)
    layer(torch.rand(2, 3))
    assert layer.v.shape == layer.u.shape == (2, 3)
    layer.v = 0.5
    layer(torch.rand(2, 3))
    with pytest.raises(ValueError, match=r"`x` has shape|`v` has shape \[2, 3\], \[4, 3\] expected"):
        layer(torch.rand(4, 3))
    layer.reset()
    assert layer(torch.rand(4, 3)).shape == (4, 3)
    layer.v = torch.full((4, 3), 7.0)
    assert layer.v.mean() == 7.0


def test_truncated_back_propagation():
    layer = sn.Lif(tau=2.0)
    first = torch.full((3,), 0.4, requires_grad=True)
    layer(first)
    layer.detach()
    second = torch.full((3,), 0.4, requires_grad=True)
    layer(second)
    layer.v.sum().backward()
    assert first.grad is None and second.grad is not None


def test_state_follows_the_module_but_not_its_format():
    layer = sn.Plif()
    layer(torch.rand(3))
    layer.double()
    assert layer.w.dtype == torch.float64 and layer.v.dtype == torch.float32
    assert layer(torch.rand(3, dtype=torch.float64)).dtype == torch.float64 and layer.v.dtype == torch.float64
    layer.to("meta")
    assert layer.v.is_meta and layer.w.is_meta


def test_learnable_parameters_by_channel_and_neuron():
    x = torch.randn(4, 2, 3, 5, 6)
    for w in (0.3, torch.rand(1), torch.rand(3, 1, 1), torch.rand(3, 5, 6), torch.tensor(0.1)):
        layer = sn.Plif(w=w, step_mode="m")
        assert layer.w.dim() > 0 and layer.w.requires_grad
        output = layer(x)
        (output.sum() + layer.v.sum()).backward()
        assert layer.w.grad.shape == layer.w.shape and layer.w.grad.abs().sum() > 0
        expanded = sn.Plif(w=layer.w.detach().expand(2, 3, 5, 6).contiguous(), step_mode="m")
        assert torch.equal(expanded(x), output)
        expanded.v.sum().backward()
    assert {name for name, _ in sn.Glif().named_parameters()} == {
        "alpha", "beta", "gamma", "tau", "linear_decay", "v_subreset", "v_threshold",
    }  # fmt: skip


def test_settings_can_be_changed():
    x = torch.rand(5, 3) * 4
    layer = sn.Lif(tau=2.0, step_mode="m")
    layer(x)
    layer.reset()
    layer.tau, layer.v_reset, layer.decay_input, layer.surrogate = 3.0, None, False, "sigmoid"
    assert layer.neuron.reset == "soft" and layer.surrogate == sn.surrogate.Sigmoid()
    expected = F.lif_multi_step(x, tau=3.0, reset="soft", decay_input=False)[0]
    assert torch.equal(layer(x), expected)
    with pytest.raises(ValueError, match="tau > 1.0"):
        layer.tau = 0.0
    assert layer.tau == 3.0


def test_v_seq():
    layer = sn.Lif(tau=2.0, step_mode="m", store_v_seq=True)
    x = torch.randn(7, 4)
    with torch.no_grad():
        layer(x)
    kept = layer.v_seq
    assert kept.shape == (7, 4) and torch.equal(kept[-1], layer.v)
    layer.reset()
    assert layer.v_seq is None
    x.requires_grad_()
    layer(x)
    assert torch.equal(layer.v_seq, kept)
    layer.v_seq.sum().backward()
    assert x.grad.abs().sum() > 0


def test_copies():
    layer = torch.nn.Sequential(torch.nn.Linear(3, 4), sn.Plif(w=0.5, reset="soft", step_mode="m"))
    x = torch.rand(5, 2, 3) * 5
    layer(x)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other[1].v, layer[1].v) and not other[1].v.requires_grad
        assert other[1].neuron == layer[1].neuron and hash(other[1].neuron) == hash(layer[1].neuron)
        assert torch.equal(other(x), copy.deepcopy(layer)(x))
    assert list(layer.state_dict()) == ["0.weight", "0.bias", "1.w"]


def test_state_dict_of_a_parameter_without_dimensions():
    layer = sn.Plif()
    layer.load_state_dict({"w": torch.tensor(0.25)})
    assert layer.w.shape == (1,) and layer.w.item() == 0.25
    with pytest.raises(RuntimeError, match="size mismatch"):
        layer.load_state_dict({"w": torch.zeros(3)})


def test_shows_its_settings():
    expected = (
        "Lif(tau=3.0, v_threshold=1.0, v_reset=0.0, decay_input=True, reset='soft', surrogate=ATan(alpha=2), "
        "detach_reset=True, step_mode='m')"
    )
    assert repr(sn.Lif(tau=3.0, reset="soft", detach_reset=True, step_mode="m")) == expected
    assert "w=[3, 1, 1]" in repr(sn.Plif(w=torch.zeros(3, 1, 1)))


@pytest.mark.parametrize("name", SPECS)
def test_documentation(name):
    spec, cls = SPECS[name], getattr(sn, name)
    for words in (cls.__doc__, getattr(F, f"{spec['module'].rstrip('_')}_multi_step").__doc__):
        for entry in (*spec["params"], *spec["flags"]):
            assert f"    {entry['name']}:" in words
        assert "`[T, ...]`" in words and "float32" in words
        assert "](" not in words and "crate::" not in words


def test_initial_states_are_those_of_the_values_given():
    layer = sn.RestingLif.with_learnable("v_rest")(v_rest=-0.25, step_mode="m")
    plain = sn.RestingLif(v_rest=-0.25, step_mode="m")
    assert layer.v == plain.v == -0.25
    x = torch.rand(5, 4)
    assert torch.equal(layer(x), plain(x)) and torch.equal(layer.v, plain.v)
    assert torch.equal(copy.deepcopy(layer).v, layer.v)
