"""Neurons that are declared at run time."""

import copy
import json
import multiprocessing
import pathlib
import pickle
import warnings

import pytest
import torch
from conftest import DRIVE, SPECS, drive

import spiking_neurons as sn

LEAKY = """
/// A leaky neuron with an adaptive threshold.
struct Adaptive {
    learnable tau = 2.0 where tau > 1.0;
    param rho = 0.9 where rho >= 0.0 && rho < 1.0;
    state a = 0.0;

    charge = v + (x - v) / tau;
    spike = h >= v_threshold + a;
    update a = rho * a + spike;
    reset hard | soft;
}
"""


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16], ids=str)
def test_the_zoo_declared_again(name, dtype, device):
    """The interpreter gives the bits of the compiled kernels, forward and backward."""
    stock, again = getattr(sn, name), sn.declare(SPECS[name]["declaration"])
    assert again is not stock and again.__name__ == name
    for reset in SPECS[name]["resets"]:
        inputs = [x.requires_grad_() for x in drive(name, (11, 5, 7), dtype, device)]
        results = []
        for cls in (stock, again):
            layer = cls(reset=reset, step_mode="m").to(device)
            output = layer(*inputs)
            grads = torch.autograd.grad(output.sum(), [*inputs, *layer.parameters()])
            results.append([output, *layer.states.values(), *grads])
        assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_declared_neurons_are_modules_and_functions():
    Adaptive = sn.declare(LEAKY)
    assert sn.declare(LEAKY) is Adaptive
    assert issubclass(Adaptive, sn.Node) and "adaptive threshold" in Adaptive.__doc__
    layer = Adaptive(tau=4.0, step_mode="m")
    assert isinstance(layer.tau, torch.nn.Parameter) and layer.rho == 0.9
    x = torch.rand(8, 3, 4) * 6
    spikes = layer(x)
    assert 0 < spikes.sum() < spikes.numel()
    assert set(layer.states) == {"v", "a"}
    output, v, a = Adaptive.multi_step(x, tau=4.0)
    assert torch.equal(output, spikes) and torch.equal(a, layer.a)
    single = Adaptive(tau=4.0)
    assert torch.equal(torch.stack([single(step) for step in x]), spikes)
    with pytest.raises(ValueError, match="`rho` is 1, but must satisfy `rho < 1.0`|`rho >= 0.0 && rho < 1.0`"):
        Adaptive(rho=1.0)


def test_gradients_of_the_relaxed_model():
    Adaptive = sn.declare(LEAKY)
    x = (torch.rand(6, 4, dtype=torch.float64) * 6).requires_grad_()
    tau = torch.tensor([3.0], dtype=torch.float64, requires_grad=True)
    run = lambda x, tau: Adaptive.multi_step(x, tau=tau, relaxed=True, surrogate="Sigmoid")
    assert torch.autograd.gradcheck(run, (x, tau))


def test_all_mistakes_at_once():
    text = "struct Wrong {\n    param tau = 2.0;\n    charge = v + (x - v) / taw;\n    reset hrad;\n}"
    with pytest.raises(sn.DeclarationError) as caught:
        sn.declare(text)
    error = caught.value
    assert isinstance(error, ValueError) and error.declaration == text
    assert [(problem.line, problem.column, problem.level) for problem in error.problems] == [(3, 28, "error"), (4, 11, "error")]
    assert "taw" in error.problems[0].message and "tau" in " ".join(error.problems[0].hints)
    assert "charge = v + (x - v) / taw;" in str(error) and "hrad" in str(error)
    assert pickle.loads(pickle.dumps(error)).problems == error.problems


def test_brackets_nested_too_deep():
    deep = "(" * 20_000 + "x" + ")" * 20_000
    with pytest.raises(sn.DeclarationError, match="brackets are nested more than"):
        sn.declare(f"struct Deep {{ charge = v + {deep}; reset hard; }}")
    with pytest.raises(ValueError, match="brackets are nested more than"):
        sn.redeclare(sn.Lif, "Deep", f"input x = {deep};")


def test_warnings_are_warnings():
    text = "struct Rough { charge = v + ln(x); reset hard; }"
    with pytest.warns(sn.DeclarationWarning, match="ln"):
        sn.declare(text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sn.declare(LEAKY)


@pytest.mark.parametrize("name", ["training", "step", "keep_state", "surrogate", "spec", "_held", "forward", "neuron"])
@pytest.mark.parametrize("kind", ["param", "learnable"])
def test_names_that_modules_have(name, kind):
    text = f"struct Odd {{ {kind} {name} = 1.0; charge = v + {name} * x; reset hard; }}"
    with pytest.raises(ValueError, match=f"Odd: `{name}` is an attribute of every module; another name expected"):
        sn.declare(text)
    with pytest.raises(ValueError, match="unknown neuron"):
        sn.Neuron(text)


@pytest.mark.parametrize("item", ["param class = 1.0; charge = class * x", "input lambda; charge = v + lambda"])
def test_keywords_of_python(item):
    with pytest.raises(ValueError, match="is a keyword of Python; another name expected"):
        sn.declare(f"struct Odd {{ {item}; reset hard; }}")


@pytest.mark.parametrize("name", ["τ", "Tensor", "bool_"])
def test_other_names(name):
    layer = sn.declare(f"struct Odd {{ learnable {name} = 2.0; charge = v + {name} * x; reset hard; }}")(step_mode="m")
    x = torch.rand(4, 3, requires_grad=True)
    layer(x).sum().backward()
    assert torch.compile(layer, backend="aot_eager")(x).shape == (4, 3)
    assert getattr(layer, name).grad is not None


def test_copies_and_pickles():
    layer = sn.declare(LEAKY)(tau=3.0, step_mode="m")
    layer(torch.rand(4, 3) * 4)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert type(other) is type(layer) and other is not layer
        assert torch.equal(other.v, layer.v) and other.neuron == layer.neuron
    neuron = pickle.loads(pickle.dumps(layer.neuron))
    assert neuron == layer.neuron and hash(neuron) == hash(layer.neuron)


def test_subclasses_keep_their_class():
    class Own(sn.declare(LEAKY)):
        def forward(self, x):
            return super().forward(2 * x)

    assert type(copy.deepcopy(Own(step_mode="m"))) is Own


def _spikes(layer):
    return layer(torch.full((4, 3), 3.0)).sum().item()


def test_other_processes_declare_it_by_its_text():
    layer = sn.declare(LEAKY)(step_mode="m")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_spikes, (layer,)) == _spikes(copy.deepcopy(layer))


def test_parameters_become_learnable_in_one_line():
    Learned = sn.Lif.with_learnable("v_threshold", "tau")
    layer, stock = Learned(tau=2.5, step_mode="m"), sn.Lif(tau=2.5, step_mode="m")
    assert {name for name, _ in layer.named_parameters()} == {"tau", "v_threshold"}
    (x,) = drive("Lif", (6, 3, 4))
    output = layer(x)
    assert torch.equal(output, stock(x)) and output.sum() > 0
    output.sum().backward()
    assert layer.tau.grad.abs() > 0 and layer.v_threshold.grad.abs() > 0
    thresholds = torch.tensor([0.5, 1.0, 2.0]).reshape(3, 1)
    assert Learned(v_threshold=thresholds)(x[0]).shape == (3, 4)
    assert sn.Lif.with_learnable("v_threshold", "tau") is Learned
    with pytest.raises(ValueError, match="`Lif` has no parameter `taw`"):
        sn.Lif.with_learnable("taw")
    with pytest.raises(ValueError, match="'tau; array v_threshold' is not the name of a parameter"):
        sn.Lif.with_learnable("tau; array v_threshold")


def test_inputs_are_transformed():
    Scaled = sn.redeclare(sn.If, "Scaled", "learnable scale = 1.0; learnable shift = 0.0; input x = scale * x + shift;")
    x = torch.randn(6, 2, 3, 4, requires_grad=True)
    scale = torch.tensor([0.5, 1.0, 2.0]).reshape(3, 1).requires_grad_()
    shift = torch.tensor([0.1, 0.0, -0.2]).reshape(3, 1).requires_grad_()
    output, _ = Scaled.multi_step(x, scale=scale, shift=shift)
    expected, _ = sn.If.multi_step(scale * x + shift)
    assert torch.equal(output, expected) and output.sum() > 0
    weights = torch.rand_like(output)
    ours = torch.autograd.grad((output * weights).sum(), (x, scale, shift))
    theirs = torch.autograd.grad((expected * weights).sum(), (x, scale, shift))
    assert all(torch.allclose(a, b, rtol=1e-5, atol=1e-5) for a, b in zip(ours, theirs))


def test_equations_are_shown():
    equations = sn.declare(LEAKY).equations()
    assert equations["h"] == "v + (x - v) / tau" and "h = " in repr(equations)
    assert r"\frac" in equations.latex and equations._repr_latex_().startswith("$$\\begin{aligned}")
    assert "grad_v_to_h" in " ".join(sn.Lif.derivatives())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_by_torch():
    layer = sn.declare(LEAKY)(step_mode="m")
    x = torch.rand(4, 3) * 4
    expected = layer(x)
    layer.reset()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(x), expected)


def test_the_notebook_runs(capsys):
    """Every cell of it, in order."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    notebook = pathlib.Path(__file__).parent.parent / "notebooks" / "adex.ipynb"
    names = {}
    for cell in json.loads(notebook.read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    printed = capsys.readouterr().out
    assert "charge = v + (x - v) / tau;" in printed and "hrad" in printed
    assert abs(names["layer"].g_l.item() - 25.0) < 0.5, names["layer"].g_l


def test_cuda_source():
    whole, kernel = sn.Lif.cuda_source(), sn.Lif.cuda_source("fptt", "soft")
    assert "hard_reset_fptt" in whole and "soft_reset_lean_bptt" in whole
    assert "soft_reset_fptt" in kernel and "hard_reset" not in kernel and "lean" not in kernel
    varied = sn.Lif.with_learnable("tau").cuda_source("lean_bptt")
    assert "hard_reset_lean_bptt" in varied and "grad_tau" in varied
    with pytest.raises(ValueError, match="unknown template `fpt`; known are forward, "):
        sn.Lif.cuda_source("fpt")
    with pytest.raises(ValueError, match="`reset` is given without `template`"):
        sn.Lif.cuda_source(reset="hard")
    with pytest.raises(ValueError, match="was not declared with reset `none`; available: hard, soft"):
        sn.Lif.cuda_source("fptt", "none")
    with pytest.raises(ValueError, match="LeakyIntegrator"):
        sn.LeakyIntegrator.cuda_source("packed_fptt")
