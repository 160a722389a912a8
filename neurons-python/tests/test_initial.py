"""Initial states that follow from learnable and array parameters, and the gradients that flow back through them."""

import copy
import shutil

import pytest
import torch

import spiking_neurons as sn
from spiking_neurons import functional as F

TWO_STATES = """
struct TwoStates {
    param scale = 0.25;
    flag shifted = true;
    learnable v_rest = -0.5;
    learnable tau = 2.0 where tau > 1.0;
    array bias = 0.0;
    state v = v_rest;
    state a = if shifted { scale * exp(-v_rest / tau) - max(v_rest, bias) } else { bias };

    charge = v + (x - (v - v_rest)) / tau - a;
    update a = 0.5 * a + spike;
    reset hard | soft;
}
"""


def initial(v_rest, tau, bias, shifted=True):
    """What the declaration says, by PyTorch."""
    v, tau, bias = v_rest.double(), tau.double(), bias.double()
    a = 0.25 * torch.exp(-v / tau) - torch.maximum(v, bias) if shifted else bias
    return v_rest, a.to(v_rest.dtype)


def arrays(shape, dtype=torch.float32, device="cpu"):
    generator = torch.Generator().manual_seed(1)
    make = lambda low, high: (torch.rand(shape, generator=generator, dtype=torch.float64) * (high - low) + low).to(dtype)
    return {
        "v_rest": make(-1.0, 1.0).to(device).requires_grad_(),
        "tau": make(1.5, 3.0).to(device).requires_grad_(),
        "bias": make(-0.5, 0.5).to(device),
    }


@pytest.mark.parametrize("sequence", [True, False])
@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
@pytest.mark.parametrize("shape", [(1,), (3, 1, 1), (3, 4, 5)])
def test_states_are_those_of_the_parameters(shape, layout, sequence, device):
    neuron = sn.declare(TWO_STATES)().neuron
    x = torch.randn(9, 2, 3, 4, 5, device=device) if sequence else torch.randn(2, 3, 4, 5, device=device)
    if layout == "channels_last":
        dims = [*range(x.dim() - 3), -2, -1, -3]
        x = x.permute(dims).contiguous().movedim(-1, -3)
    params = arrays(shape, device=device)
    function = F.multi_step if sequence else F.step
    results = []
    for explicit in (True, False):
        states = [state.expand(2, 3, 4, 5).contiguous() for state in initial(**params)] if explicit else None
        outputs = function(neuron, x, states, params)
        weights = [torch.linspace(-1.0, 1.0, output.numel(), device=device).view_as(output) for output in outputs]
        loss = sum((output * weight).sum() for output, weight in zip(outputs, weights))
        grads = torch.autograd.grad(loss, [params["v_rest"], params["tau"]])
        with torch.no_grad():
            results.append([*outputs, *grads, *function(neuron, x, states, params)])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_gradients_of_the_relaxed_model():
    x = torch.randn(6, 2, 3, dtype=torch.float64, requires_grad=True)
    params = arrays((3,), torch.float64)

    def run(x, v_rest, tau):
        given = {"v_rest": v_rest, "tau": tau, "bias": params["bias"]}
        return sn.declare(TWO_STATES).multi_step(x, **given, relaxed=True, surrogate="Sigmoid")

    assert torch.autograd.gradcheck(run, (x, params["v_rest"], params["tau"]))


FUNCTIONS = [
    "exp(p)", "ln(p)", "expm1(p)", "log1p(p)", "exprel(p)", "exprel(p - 3.0)", "sqrt(p)", "tanh(p)", "sigmoid(p)", "abs(p - 1.2)",
    "atan(p)", "erf(p)", "sin(p)", "cos(p)", "p^3", "p^-2", "1.0 / p", "-p * 2.0 + p / 3.0", "min(p, 1.3)", "clamp(p, 1.1, 2.0)",
    "if p > 1.2 && !(p == 1.9) || p < 0.9 { p * p } else { 2.0 }", "if p != 1.2 { 3.0 } else { 0.1 }",
    "if p <= 0.0 { ln(p) } else { sqrt(p) }",
]  # fmt: skip


@pytest.mark.parametrize("expression", FUNCTIONS)
@pytest.mark.filterwarnings("ignore::spiking_neurons.DeclarationWarning")
def test_expressions(expression):
    """Against the library's own evaluation for each number, and against finite differences."""
    kind = "struct Expression {{ learnable p = 1.5; state v = {}; charge = v + x + 0.0 * p; reset none; }}"
    cls = sn.declare(kind.format(expression))
    values = torch.tensor([0.8, 1.15, 1.5, 2.2], dtype=torch.float64)
    expected = [cls(p=value.item()).neuron.initial_state[0] for value in values]
    layer = cls(p=values.requires_grad_())
    assert layer.v.tolist() == pytest.approx(expected, rel=1e-14) if layer.v.dim() else layer.v.item() == expected[0]
    x = torch.zeros(4, dtype=torch.float64)
    start = lambda p: cls.step(x, p=p, relaxed=True)[1]
    assert start(values).tolist() == pytest.approx(expected, rel=1e-14)
    assert torch.autograd.gradcheck(start, values)


@pytest.mark.parametrize(
    "expression, value, slope",
    [("round(2.0 * p)", 3.0, 2.0), ("floor(p)", 1.0, 1.0), ("trunc(-p)", -1.0, -1.0), ("detach(p) * p", 2.25, 1.5),
     ("straight_through(p, 2.0 * p)", 1.5, 2.0), ("detach(p)", 1.5, 0.0), ("abs(p - 1.5)", 0.0, 0.0),
     ("if p > 2.0 { sqrt(p - 2.0) } else { p }", 1.5, 1.0)],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::spiking_neurons.DeclarationWarning")
def test_derivatives_are_those_of_the_language(expression, value, slope):
    cls = sn.declare(f"struct Slope {{ learnable p = 1.5; state v = {expression}; charge = v + x + 0.0 * p; reset none; }}")
    p = torch.tensor([1.5], requires_grad=True)
    _, v = cls.step(torch.zeros(3), p=p)
    v.sum().backward()
    assert v.tolist() == [value] * 3 and p.grad.item() == 3 * slope


def test_the_derivative_is_that_of_another_parameter():
    torch._dynamo.reset()
    cls = sn.declare("struct Other { learnable p = 1.0; array q = 0.5; state v = straight_through(q, p); charge = v + x; reset hard; }")
    p, q = torch.ones(3, requires_grad=True), torch.tensor([0.25], requires_grad=True)
    for step in (cls.step, torch.compile(cls.step, fullgraph=True, backend="aot_eager")):
        _, v = step(torch.zeros(2, 3), p=p, q=q, detach_reset=True)
        assert v.tolist() == [[0.25] * 3] * 2
        grads = torch.autograd.grad(v.sum(), (p, q), allow_unused=True)
        assert grads[0].tolist() == [2.0] * 3 and grads[1] is None


def test_arrays_have_no_gradient():
    params = arrays((3,))
    bias = params["bias"].requires_grad_()
    neuron = sn.declare(TWO_STATES)(shifted=False).neuron
    _, v, a = F.multi_step(neuron, torch.randn(4, 2, 3), None, params)
    assert torch.autograd.grad(a.sum() + v.sum(), bias, allow_unused=True) == (None,)
    assert torch.equal(sn.declare(TWO_STATES)(shifted=False, **params).a, bias)


@pytest.mark.parametrize("step_mode", ["s", "m"])
@pytest.mark.parametrize("store_v_seq", [False, True])
def test_modules_learn_where_they_start(step_mode, store_v_seq, device):
    options = {"step_mode": step_mode, "store_v_seq": store_v_seq, "keep_state": False}
    layer = sn.RestingLif.with_learnable("v_rest")(v_rest=torch.tensor([-0.5, 0.0, 0.25]), **options).to(device)
    optimizer = torch.optim.SGD(layer.parameters(), 0.1)
    x = torch.rand(5, 2, 3, device=device) * 3 if step_mode == "m" else torch.rand(2, 3, device=device)
    for _ in range(3):
        layer.reset()
        before = layer.v_rest.detach().clone()
        assert torch.equal(layer.v, before)
        with torch.no_grad():
            expected = torch.stack([sn.RestingLif(v_rest=at.item(), **options)(x[..., n]) for n, at in enumerate(before)], -1)
            assert torch.equal(layer(x), expected)
            layer.reset()
        layer(x)
        (layer.v_seq if store_v_seq and step_mode == "m" else layer(x)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        assert (layer.v_rest != before).all()
    assert torch.equal(copy.deepcopy(layer).v, layer.v)


def test_an_initial_state_is_no_view_of_its_parameter():
    layer = sn.RestingLif.with_learnable("v_rest")(v_rest=torch.zeros(3))
    layer.v.fill_(1.0)
    assert layer.v_rest.tolist() == layer.v.tolist() == [0.0] * 3 and not layer.states["v"].requires_grad


@pytest.mark.filterwarnings("ignore::spiking_neurons.DeclarationWarning")
def test_infinite_slopes_do_not_spoil_the_state():
    cls = sn.declare("struct Root { learnable p = 1.0 where p >= 0.0; state v = sqrt(p); charge = v + x; reset hard; }")
    p, x = torch.tensor([0.0, 0.25], requires_grad=True), torch.zeros(2)
    for step in (cls.step, torch.compile(cls.step, fullgraph=True, backend="aot_eager")):
        assert step(x, p=p)[1].tolist() == [0.0, 0.5]


def test_the_reset_potential_is_an_initial_state():
    v_reset = torch.tensor([-0.5, 0.0, 0.5], requires_grad=True)
    layer = sn.Lif.with_learnable("v_reset")(v_reset=v_reset)
    assert layer(torch.zeros(2, 3)).sum() == 0 and torch.equal(layer.v, v_reset.expand(2, 3))
    layer.v.sum().backward()
    assert layer.v_reset.grad.tolist() == [2.0] * 3


@pytest.mark.parametrize("spike_dtype", [None, torch.bool])
def test_packed_and_narrow_spikes(spike_dtype):
    neuron, params = sn.declare(TWO_STATES)().neuron, arrays((3,))
    x = torch.randn(7, 4, 3) * 3
    with torch.no_grad():
        states = [state.expand(4, 3).contiguous() for state in initial(**params)]
        expected = F.multi_step(neuron, x, states, params)
        assert expected[0].sum() > 0
        ours = F.multi_step(neuron, x, None, params, spike_dtype=spike_dtype)
        packed, theirs = F.multi_step_packed(neuron, x, None, params), F.multi_step_packed(neuron, x, states, params)
    assert all(torch.allclose(a.to(b.dtype), b) for a, b in zip(ours, expected))
    assert torch.equal(packed[0], theirs[0])


def test_batch_normalisation():
    cls, params = sn.declare(TWO_STATES), arrays((3, 1))
    x = torch.randn(6, 4, 3, 5)
    results = []
    for fused in (True, False):
        norm, node = torch.nn.BatchNorm1d(3), cls(**params, step_mode="m")
        output = sn.BatchNormNode(norm, node)(x) if fused else node(norm(x.flatten(0, 1)).unflatten(0, (6, 4)))
        (output.sum() + node.v.sum() + node.a.square().sum()).backward()
        results.append([output, node.v, node.v_rest.grad, node.tau.grad])
    for ours, theirs in zip(*results):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


NO_COMPILER = pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler, and there is no g++")


@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=NO_COMPILER)])
@pytest.mark.parametrize("shape", [(1,), (3, 1), (3, 4)])
@pytest.mark.parametrize("sequence", [True, False])
def test_compiled(shape, sequence, backend):
    torch._dynamo.reset()
    neuron, params = sn.declare(TWO_STATES)().neuron, arrays(shape)
    x = torch.randn(9, 2, 3, 4) if sequence else torch.randn(2, 3, 4)

    def function(x, v_rest, tau):
        given = {"v_rest": v_rest, "tau": tau, "bias": params["bias"]}
        return (F.multi_step if sequence else F.step)(neuron, x, None, given)

    compiled = torch.compile(function, fullgraph=True, backend=backend)
    leaves = [params["v_rest"], params["tau"]]
    ours, theirs = compiled(x, *leaves), function(x, *leaves)
    weights = [torch.rand_like(output) for output in ours]
    total = lambda outputs: sum((output * weight).sum() for output, weight in zip(outputs, weights))
    grads = zip(torch.autograd.grad(total(ours), leaves), torch.autograd.grad(total(theirs), leaves))
    for a, b in [*zip(ours, theirs), *grads]:
        torch.testing.assert_close(a, b)
    with torch.no_grad():
        for a, b in zip(compiled(x, *leaves), function(x, *leaves)):
            torch.testing.assert_close(a, b)


@pytest.mark.parametrize("strict", [True, False])
def test_exported_programs_have_the_gradient(strict):
    layer = sn.declare(TWO_STATES)(v_rest=torch.tensor([-0.5, 0.5, 0.0]), step_mode="m", keep_state=False)
    x = torch.randn(5, 2, 3) * 2
    module = torch.export.export(layer, (x,), strict=strict).module()
    ours, theirs, copies = module(x), layer(x), dict(module.named_parameters())
    assert torch.equal(ours, theirs)
    grads = torch.autograd.grad(theirs.sum(), [layer.v_rest, layer.tau])
    for grad, name in zip(grads, ("v_rest", "tau")):
        torch.testing.assert_close(torch.autograd.grad(ours.sum(), copies[name], retain_graph=True)[0], grad)


def test_a_compiled_module_follows_its_parameter():
    torch._dynamo.reset()
    layer = sn.declare(TWO_STATES)(v_rest=torch.tensor([-0.5, 0.5, 0.0]), step_mode="m", keep_state=False)
    compiled, x = torch.compile(layer, fullgraph=True, backend="aot_eager"), torch.randn(5, 2, 3) * 2
    for value in (0.0, 0.25, -0.5):
        with torch.no_grad():
            layer.v_rest.fill_(value)
        ours, theirs = compiled(x), layer(x)
        assert torch.equal(ours, theirs)
        for a, b in zip(*(torch.autograd.grad(output.sum(), [layer.v_rest, layer.tau]) for output in (ours, theirs))):
            torch.testing.assert_close(a, b)


def test_transforms():
    neuron, params = sn.declare(TWO_STATES)().neuron, {key: value.detach() for key, value in arrays((3,)).items()}
    x = torch.randn(9, 4, 3)

    def loss(params, x):
        output, v, a = F.multi_step(neuron, x, None, params)
        return output.cumsum(0).sum() + v.square().sum() + a.sum()

    leaves = {key: value.clone().requires_grad_(key != "bias") for key, value in params.items()}
    expected = torch.autograd.grad(loss(leaves, x), [leaves["v_rest"], leaves["tau"]])
    grads = torch.func.grad(loss)(params, x)
    each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 1))(params, x)
    for name, theirs in zip(("v_rest", "tau"), expected):
        torch.testing.assert_close(grads[name], theirs)
        torch.testing.assert_close(each[name].sum(0), theirs)
    many = {key: value + 0.1 * torch.rand(5, 3) for key, value in params.items()}
    outputs = torch.func.vmap(lambda params: F.multi_step(neuron, x, None, params)[1])(many)
    rows = torch.func.vmap(torch.func.grad(loss), in_dims=(0, None))(many, x)
    for at in range(5):
        one = {key: value[at] for key, value in many.items()}
        torch.testing.assert_close(outputs[at], F.multi_step(neuron, x, None, one)[1])
        torch.testing.assert_close(rows["tau"][at], torch.func.grad(loss)(one, x)["tau"])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_formats(dtype):
    layer = sn.declare(TWO_STATES)(v_rest=torch.tensor([-0.5, 0.25]), step_mode="m")
    layer(torch.randn(4, 3, 2, dtype=dtype)).sum().backward()
    assert layer.v.dtype is layer.a.dtype is (torch.float64 if dtype is torch.float64 else torch.float32)
    assert layer.v_rest.grad.dtype is torch.float32


def test_parameters_that_do_not_fit_are_refused_by_the_call():
    cls = sn.declare(TWO_STATES)
    for shape in [(4,), (2, 2, 3)]:
        with pytest.raises(ValueError, match="`v_rest` has shape"):
            cls.multi_step(torch.randn(5, 2, 3), v_rest=torch.zeros(shape))
    with pytest.raises(ValueError, match="must satisfy `tau > 1.0`"):
        cls.multi_step(torch.randn(5, 2, 3), tau=torch.tensor([0.5]))
    with pytest.raises(ValueError, match="`v` has shape"):
        cls.multi_step(torch.randn(5, 2, 3), torch.zeros(4))


def test_states_that_are_given_have_no_path_to_the_parameter():
    params = arrays((3,))
    neuron = sn.declare(TWO_STATES)(reset="soft", detach_reset=True).neuron
    _, v, _ = F.step(neuron, torch.zeros(2, 3), (0.5, 0.0), params)
    (grad,) = torch.autograd.grad(v.sum(), params["v_rest"])
    torch.testing.assert_close(grad, 2 / params["tau"].detach())


def test_neurons_whose_initial_states_are_numbers_compute_nothing():
    for name, spec in sn.SPECS.items():
        assert sn.Neuron(name)._programs == (None,) * len(spec["states"])
    x, plif = torch.rand(4, 3), sn.Neuron("Plif")
    call, given = F.arrange(plif, (x,), None, {"w": torch.zeros(3)}, True)
    assert given[call.inputs] is None
