"""Spikes of one byte."""

import pytest
import torch
from conftest import SPECS, drive

import spiking_neurons as sn
from spiking_neurons import functional as F

DTYPES = [torch.bool, torch.int8, torch.uint8]
FIRING = [name for name, spec in SPECS.items() if spec["fires"]]


def same(ours, expected, dtype):
    """The spikes of the usual format, and the states."""
    assert ours[0].dtype == dtype and ours[0].stride() == expected[0].stride()
    assert torch.equal(ours[0], expected[0].to(dtype))
    assert all(map(torch.equal, ours[1:], expected[1:]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FIRING)
def test_they_are_the_spikes(name, dtype, device):
    neuron = sn.Neuron(name)
    # With and without words that are not full.
    for shape in ((40, 4, 24), (40, 5, 7)):
        inputs = drive(name, shape, torch.float32, device)
        expected = F.multi_step(neuron, inputs)
        assert expected[0].any()
        same(F.multi_step(neuron, inputs, spike_dtype=dtype), expected, dtype)
        x, states = [x[0] for x in inputs], expected[1:]
        same(F.step(neuron, x, states, spike_dtype=dtype), F.step(neuron, x, states), dtype)


@pytest.mark.parametrize("input_dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_formats_and_layouts(input_dtype, device):
    x = torch.rand(6, 2, 5, 5, 4, device=device).mul(3).to(input_dtype).movedim(-1, 2)
    expected = F.lif_multi_step(x, tau=1.5)
    assert expected[0].any()
    same(F.lif_multi_step(x, tau=1.5, spike_dtype=torch.bool), expected, torch.bool)


@pytest.mark.parametrize("step_mode", ["s", "m"])
@pytest.mark.parametrize("store_v_seq", [False, True])
def test_modules(step_mode, store_v_seq, device):
    options = {"tau": 1.5, "step_mode": step_mode, "store_v_seq": store_v_seq}
    layer, plain = sn.Lif(**options, spike_dtype=torch.bool), sn.Lif(**options)
    assert "spike_dtype=torch.bool" in repr(layer)
    for _ in range(2):
        x = torch.rand(6, 3, 11, device=device) * 3
        same((layer(x), layer.v), (plain(x), plain.v), torch.bool)
    layer = sn.Lif(tau=1.5, step_mode="m", keep_state=False, spike_dtype=torch.int8)
    assert layer(x).dtype == torch.int8 and layer.v == 0.0


def test_after_a_normalisation(device):
    norm = torch.nn.BatchNorm1d(11).to(device).eval()
    layer = sn.BatchNormNode(norm, sn.Lif(tau=1.5, step_mode="m", spike_dtype=torch.bool))
    with torch.no_grad():
        assert layer(torch.rand(6, 3, 11, device=device) * 9).dtype == torch.bool


def test_compiled():
    torch._dynamo.reset()
    layer, x = sn.Lif(tau=1.5, step_mode="m", spike_dtype=torch.bool, keep_state=False), torch.rand(6, 40) * 3
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(x), layer(x)) and compiled(x).any()


def test_gradients_are_refused():
    layer = sn.Plif(step_mode="m", spike_dtype=torch.bool)
    x = torch.rand(6, 40) * 3
    with pytest.raises(RuntimeError, match="spikes in torch.bool have none; call it under torch.no_grad()"):
        layer(x)
    with torch.no_grad():
        expected = layer(x)
    layer.reset()
    with torch.inference_mode():
        assert torch.equal(layer(x), expected)
    layer = sn.Lif(step_mode="m", spike_dtype=torch.bool, store_v_seq=True)
    with pytest.raises(RuntimeError, match="a gradient is asked for"):
        layer(x.requires_grad_())


def test_what_is_refused():
    with pytest.raises(TypeError, match="`spike_dtype` is torch.float16; torch.bool, torch.int8, torch.uint8 or None expected"):
        F.lif_multi_step(torch.rand(3, 4), spike_dtype=torch.float16)
    with pytest.raises(ValueError, match="its output `output` is not made of spikes"):
        sn.LeakyIntegrator(spike_dtype=torch.bool)
    with pytest.raises(ValueError, match="the relaxed model is not made of spikes"):
        sn.Lif(relaxed=True, spike_dtype=torch.bool)
