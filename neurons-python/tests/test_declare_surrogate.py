"""Surrogates that are declared at run time."""

import copy
import multiprocessing
import pathlib
import pickle
import re
import warnings

import pytest
import torch
from conftest import drive

import spiking_neurons as sn
from spiking_neurons import functional as F

STEEP = """
/// A steep logistic function.
surrogate Steep {
    /// Steepness.
    param a = 8.0 where a > 0.0;
    param b = 0.1;
    primitive = sigmoid(a * u) + b * tanh(u);
}
"""

#: Where the surrogates of the library are declared, in a checkout.
BUILT_IN = pathlib.Path(__file__).parents[2] / "neuron-runtime" / "src" / "surrogate" / "built_in.rs"

DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16]


def gradients(name, surrogate, dtype, device, **options):
    inputs = [x.requires_grad_() for x in drive(name, (11, 5, 7), dtype, device)]
    layer = getattr(sn, name)(surrogate=surrogate, step_mode="m", **options).to(device)
    output = layer(*inputs)
    return torch.autograd.grad(output.sum(), [*inputs, *layer.parameters()])


@pytest.mark.skipif(not BUILT_IN.exists(), reason="not in a checkout")
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_those_of_the_library_declared_again(dtype, device):
    """The bits of the compiled surrogates, on the CPU and on a GPU."""
    texts = re.findall(r"^surrogate! \{\n(.*?)^\}", BUILT_IN.read_text(), re.MULTILINE | re.DOTALL)
    assert len(texts) == len(sn.surrogate.__all__) - 2
    for text in texts:
        again = sn.declare_surrogate(text)
        stock = getattr(sn.surrogate, again.name)
        assert again is not stock and issubclass(again, sn.surrogate.Surrogate)
        assert again.defaults == stock.defaults and again.equations() == stock.equations()
        assert repr(again()) == repr(stock()) and again() != stock()
        for name in ("Lif", "Plif"):
            ours, theirs = (gradients(name, cls(), dtype, device) for cls in (again, stock))
            assert all(map(torch.equal, ours, theirs)), again.name


@pytest.mark.parametrize("name", ["Lif", "Alif", "CubaLif", "Plif"])
def test_used_as_those_of_the_library(name, device):
    """A text that says what `Sigmoid` does, with other names."""
    Logistic = sn.declare_surrogate("surrogate Logistic { param k = 1.0 where k > 0.0; primitive = sigmoid(k * u); }")
    for options in ({}, {"reset": "soft", "detach_reset": True}):
        ours = gradients(name, Logistic(k=3.0), torch.float32, device, **options)
        theirs = gradients(name, sn.surrogate.Sigmoid(3.0), torch.float32, device, **options)
        assert all(map(torch.equal, ours, theirs)) and any(grad.abs().sum() > 0 for grad in ours)
    neuron = sn.Neuron(name, surrogate=Logistic(2.0))
    assert neuron == sn.Neuron(name).replace(surrogate=Logistic(2.0)) != neuron.replace(surrogate=Logistic(2.5))
    layer = getattr(sn, name)()
    layer.surrogate = Logistic(5.0)
    assert layer.neuron.surrogate.k == 5.0 and "surrogate=Logistic(k=5)" in repr(layer)


def test_with_declared_neurons():
    Leaky = sn.declare("struct Leaky { learnable tau = 2.0 where tau > 1.0; charge = v + (x - v) / tau; reset hard | soft; }")
    Steep = sn.declare_surrogate(STEEP)
    x = (torch.rand(6, 4, dtype=torch.float64) * 4).requires_grad_()
    tau = torch.tensor([3.0], dtype=torch.float64, requires_grad=True)
    # The primitive is that of the gradient.
    run = lambda x, tau: Leaky.multi_step(x, tau=tau, relaxed=True, surrogate=Steep(a=2.0))
    assert torch.autograd.gradcheck(run, (x, tau))


def test_values():
    Steep = sn.declare_surrogate(STEEP)
    assert sn.declare_surrogate(STEEP) is Steep and sn.declare_surrogate(STEEP.strip()) is Steep
    assert Steep.__name__ == "Steep" and Steep.__doc__.startswith("A steep logistic function.")
    assert Steep.defaults == {"a": 8.0, "b": 0.1} and Steep().parameters == (8.0, 0.1)
    assert repr(Steep(2.0)) == "Steep(a=2, b=0.1)"
    assert Steep(b=0.2) == Steep(8.0, 0.2) and hash(Steep(b=0.2)) == hash(Steep(8.0, 0.2)) and Steep() != Steep(1.0)
    assert Steep.equations()["primitive"] == "sigmoid(a * u) + b * tanh(u)" and "a * " in Steep.equations()["gradient"]
    other = sn.declare_surrogate(STEEP.replace("0.1", "0.2"))
    assert other is not Steep and other(8.0, 0.1) != Steep()
    with pytest.raises(TypeError, match="Steep has no parameter 'c'; its parameters are a, b"):
        Steep(c=1.0)
    with pytest.raises(AttributeError, match="immutable"):
        Steep().a = 1.0
    with pytest.raises(ValueError, match=re.escape("surrogate Steep: `a` is 0, but must satisfy `a > 0.0`")):
        F.multi_step(sn.Neuron("Lif", surrogate=Steep(0.0)), torch.ones(2, 2))
    with pytest.raises(ValueError, match="unknown surrogate 'Steep'"):
        sn.Lif(surrogate="Steep")


def test_copies_and_pickles():
    Steep = sn.declare_surrogate(STEEP)
    for other in (copy.deepcopy(Steep(3.0)), pickle.loads(pickle.dumps(Steep(3.0)))):
        assert other == Steep(3.0) and type(other) is Steep
    layer = sn.Lif(surrogate=Steep(3.0))
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert other.neuron == layer.neuron


def _gradient(layer):
    x = torch.full((4, 3), 0.9, requires_grad=True)
    layer(x).sum().backward()
    return x.grad.tolist()


def test_other_processes_declare_it_by_its_text():
    layer = sn.Lif(surrogate=sn.declare_surrogate(STEEP)(3.0), step_mode="m")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_gradient, (layer,)) == _gradient(copy.deepcopy(layer))


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compiled_by_torch(backend):
    torch._dynamo.reset()
    layer = sn.Lif(surrogate=sn.declare_surrogate(STEEP)(3.0), step_mode="m")
    (expected,) = gradients("Lif", layer.surrogate, torch.float32, "cpu")
    (x,) = [x.requires_grad_() for x in drive("Lif", (11, 5, 7))]
    torch.compile(layer, fullgraph=True, backend=backend)(x).sum().backward()
    assert torch.equal(x.grad, expected)


def test_all_mistakes_at_once():
    text = "surrogate Wrong {\n    param alpha = 2.0;\n    primitive = sigmoid(alpah * u) + taw;\n}"
    with pytest.raises(sn.DeclarationError) as caught:
        sn.declare_surrogate(text)
    error = caught.value
    assert error.declaration == text
    assert [(problem.line, problem.column, problem.level) for problem in error.problems] == [(3, 25, "error"), (3, 38, "error")]
    assert "alpah" in error.problems[0].message and "alpha" in " ".join(error.problems[0].hints)
    assert "primitive = sigmoid(alpah * u) + taw;" in str(error)
    with pytest.raises(sn.DeclarationError, match="expected `surrogate`, found `struct`"):
        sn.declare_surrogate("struct Leaky { charge = v + x; reset hard; }")
    with pytest.raises(sn.DeclarationError, match="expected `struct`, found `surrogate`"):
        sn.declare(STEEP)


def test_warnings_are_warnings():
    text = "surrogate Rough { param a = 1.0; primitive = sigmoid(u / a); }"
    with pytest.warns(sn.DeclarationWarning, match="`a`") as caught:
        sn.declare_surrogate(text)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sn.declare_surrogate(STEEP)


@pytest.mark.parametrize(
    ("name", "message"),
    [("name", "is an attribute of every surrogate"), ("key", "is an attribute of every surrogate"),
     ("equations", "is an attribute of every surrogate"), ("lambda", "is a keyword of Python")],
)  # fmt: skip
def test_names_that_classes_have(name, message):
    with pytest.raises(ValueError, match=f"Odd: `{name}` {message}; another name expected"):
        sn.declare_surrogate(f"surrogate Odd {{ param {name} = 1.0; primitive = tanh({name} * u); }}")
