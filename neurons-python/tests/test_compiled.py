"""`torch.compile`: the numbers of eager mode, and arrays that compiled calls leave out as eager ones do."""

import shutil
import subprocess
import sys

import pytest
import torch
from conftest import SPECS, drive, parameters
from functorch.compile import make_boxed_func
from torch._dynamo.backends.common import aot_autograd

import spiking_neurons as sn
from spiking_neurons import functional as F

NO_COMPILER = pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler, and there is no g++")
BACKENDS = ["aot_eager", pytest.param("inductor", marks=NO_COMPILER)]


class Recorder:
    """A backend that keeps the graphs of forward and backward passes, and runs them as they are."""

    def __init__(self):
        torch._dynamo.reset()
        self.forward, self.backward = [], []
        keep = lambda graphs: lambda module, _: graphs.append(module.graph) or make_boxed_func(module.forward)
        self.backend = aot_autograd(
            fw_compiler=keep(self.forward), bw_compiler=keep(self.backward), inference_compiler=keep(self.forward)
        )

    def compile(self, function, **options):
        return torch.compile(function, fullgraph=True, backend=self.backend, **options)


def kernels(graph):
    """Calls of this package's operations, each as the names of what it is given and the number of arrays that it returns."""
    calls = []
    for node in graph.nodes:
        if node.op == "call_function" and str(node.target).startswith("spiking_neurons."):
            schema = node.target._schema.arguments
            given = {argument.name for argument, value in zip(schema, node.args) if isinstance(value, torch.fx.Node)}
            calls.append((given, len(node.meta["val"])))
    return calls


def others(graph):
    """Names of all other operations."""
    targets = {str(node.target) for node in graph.nodes if node.op == "call_function"}
    return {name for name in targets if not name.startswith("spiking_neurons.") and "getitem" not in name}


def results(function, arrays, given):
    """What a function returns, and gradients of what needs one, from given gradients of its results."""
    leaves = [array.detach().clone().requires_grad_() for array in arrays]
    outputs = function(*leaves)
    grads = [grad.to(output.dtype) for output, grad in zip(outputs, given)]
    return [output.detach() for output in outputs] + list(torch.autograd.grad(outputs, leaves, grads))


def run_both(compiled, function, arrays):
    """The same arrays with the same gradients through both."""
    with torch.no_grad():
        inferred = function(*arrays)
        assert all(map(torch.equal, compiled(*arrays), inferred))
    given = [torch.rand(output.shape) for output in inferred]
    ours, theirs = results(compiled, arrays, given), results(function, arrays, given)
    assert all(map(torch.equal, ours, theirs)) and len(ours) == len(theirs)


@pytest.mark.parametrize("sequence", [True, False])
@pytest.mark.parametrize("name", SPECS)
def test_every_neuron_gives_the_bits_of_eager_mode(name, sequence):
    torch._dynamo.reset()
    neuron, params = sn.Neuron(name), parameters(name)
    inputs = drive(name, (10, 4, 3) if sequence else (4, 3))
    function = F.multi_step if sequence else F.step

    def fresh(*arrays):
        return function(neuron, arrays[: len(inputs)], None, dict(zip(params, arrays[len(inputs) :])))

    def carried(*arrays):
        middle = len(inputs) + len(neuron.initial_state)
        return function(neuron, arrays[: len(inputs)], arrays[len(inputs) : middle], dict(zip(params, arrays[middle:])))

    states = [torch.full((4, 3), value) for value in neuron.initial_state]
    run_both(torch.compile(fresh, fullgraph=True, backend="aot_eager"), fresh, [*inputs, *params.values()])
    arrays = [*inputs, *states, *params.values()]
    run_both(torch.compile(carried, fullgraph=True, backend="aot_eager"), carried, arrays)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["Lif", "CubaLif", "Plif", "LeakyIntegrator"])
def test_formats(name, dtype, backend):
    torch._dynamo.reset()
    real = torch.float64 if dtype == torch.float64 else torch.float32
    neuron, params, inputs = sn.Neuron(name), parameters(name, real), drive(name, (10, 4, 3), dtype)

    def function(*arrays):
        return F.multi_step(neuron, arrays[: len(inputs)], None, dict(zip(params, arrays[len(inputs) :])))

    compiled = torch.compile(function, fullgraph=True, backend=backend)
    run_both(compiled, function, [*inputs, *params.values()])


@pytest.mark.parametrize("backend", BACKENDS)
def test_dynamic_batch_and_time(backend):
    torch._dynamo.reset()
    layer = sn.Lif(tau=2.0, step_mode="m", keep_state=False)
    compiled = torch.compile(layer, fullgraph=True, backend=backend, dynamic=True)
    function = lambda x: (layer(x),)
    for steps, batch in ((10, 2), (10, 5), (17, 5), (3, 7)):
        run_both(lambda x: (compiled(x),), function, [torch.randn(steps, batch, 6) * 2])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast(dtype, backend):
    torch._dynamo.reset()
    linear, layer = torch.nn.Linear(6, 5), sn.Plif(step_mode="m")

    def function(x, weight, w):
        layer.reset()
        with torch.autocast("cpu", dtype):
            hidden = torch.nn.functional.linear(x, weight)
            return F.multi_step(layer.neuron, hidden, None, {"w": w})

    arrays = [torch.randn(9, 4, 6) * 2, linear.weight, layer.w]
    assert [output.dtype for output in function(*arrays)] == [dtype, torch.float32]
    run_both(torch.compile(function, fullgraph=True, backend=backend), function, arrays)


@pytest.mark.parametrize("backend", BACKENDS)
def test_initial_states_that_are_learned(backend):
    torch._dynamo.reset()
    function = lambda x, v: F.lif_multi_step(x, v.sigmoid().expand(4, 3), tau=2.0)
    compiled = torch.compile(function, fullgraph=True, backend=backend)
    run_both(compiled, function, [torch.randn(9, 4, 3) * 2, torch.zeros(3)])


def test_initial_values_that_depend_on_learnable_parameters():
    torch._dynamo.reset()
    cls = sn.declare(
        "struct Starting { learnable v_rest = -0.5; state v = v_rest; charge = v + (x - v + v_rest) / 2.0; reset hard; }"
    )
    neuron = cls().neuron
    function = lambda x, v_rest: F.multi_step(neuron, x, None, {"v_rest": v_rest})
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    run_both(compiled, function, [torch.randn(9, 4, 3) * 2, torch.tensor([-0.5])])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_loop_over_steps(backend):
    torch._dynamo.reset()
    layer = sn.Lif(tau=2.0)

    def function(x_seq):
        layer.reset()
        spike, spikes = torch.zeros_like(x_seq[0]), []
        for x in x_seq:
            spike = layer(x - spike * 0.5)
            spikes.append(spike)
        return (torch.stack(spikes),)

    run_both(torch.compile(function, fullgraph=True, backend=backend), function, [torch.randn(5, 4, 6) * 2])


def test_numbers_as_states():
    torch._dynamo.reset()
    layer = sn.Lif(tau=2.0, step_mode="m", keep_state=False)
    compiled, x = torch.compile(layer, fullgraph=True, backend="aot_eager"), torch.randn(9, 4) * 2
    for value in (None, 0.0, 0.5, -0.0, 0.75):
        layer.v = value
        expected = layer(x)
        assert torch.equal(compiled(x), expected)


@pytest.mark.parametrize("surrogate", ["ATan", sn.surrogate.Sigmoid(2.0)])
def test_functions_with_options(surrogate):
    torch._dynamo.reset()
    function = lambda x, w: F.plif_multi_step(x, w=w, surrogate=surrogate, v_reset=None, detach_reset=True)
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    run_both(compiled, function, [torch.randn(9, 4) * 2, torch.tensor([0.5])])


@pytest.mark.parametrize("from_function", [True, False])
def test_fresh_states_take_no_arrays(from_function):
    recorder = Recorder()
    if from_function:
        function = lambda x: F.lif_multi_step(x, tau=2.0)[0]
    else:
        function = sn.Lif(tau=2.0, step_mode="m", keep_state=False)
    x = torch.randn(17, 4, requires_grad=True)
    recorder.compile(function)(x).sum().backward()
    (forward,), (backward,) = recorder.forward, recorder.backward
    # Spikes and states before every 8th step; the function's final state as well.
    assert kernels(forward) == [({"x"}, 2 + from_function)] and not others(forward)
    assert kernels(backward) == [({"grad_spike", "x", "v_checkpoints"}, 1)]
    assert others(backward) <= {"aten.expand.default"}


def test_inference_without_final_states():
    recorder = Recorder()
    layer = sn.CubaLif(step_mode="m", keep_state=False)
    recorder.compile(layer)(torch.randn(17, 4))
    (forward,) = recorder.forward
    assert kernels(forward) == [({"x"}, 1)] and not others(forward)


def test_gradients_of_states_where_wanted():
    recorder = Recorder()
    x, v = torch.randn(17, 4), torch.randn(4, requires_grad=True)
    spike_seq, last = recorder.compile(lambda x, v: F.lif_multi_step(x, v, tau=2.0))(x, v)
    (spike_seq.sum() + last.sum()).backward()
    (backward,) = recorder.backward
    assert kernels(backward) == [({"grad_spike", "grad_v", "x", "v", "v_checkpoints"}, 2)]


def test_a_loop_fills_no_states():
    recorder = Recorder()
    layer = sn.Lif(tau=2.0)

    def function(x_seq):
        layer.reset()
        return torch.stack([layer(x) for x in x_seq])

    recorder.compile(function)(torch.randn(3, 4, requires_grad=True)).sum().backward()
    (forward,), (backward,) = recorder.forward, recorder.backward
    assert [given for given, _ in kernels(forward)] == [{"x"}, {"x", "v"}, {"x", "v"}]
    # The gradient of the first state is not wanted.
    assert [count for _, count in kernels(backward)] == [2, 2, 1]
    assert not any("full" in name or "zeros" in name for name in others(forward))


def test_a_linear_neuron_saves_nothing():
    recorder = Recorder()
    x = torch.randn(17, 4, requires_grad=True)
    output, v = recorder.compile(lambda x: F.leaky_integrator_multi_step(x))(x)
    assert kernels(recorder.forward[0]) == [({"x"}, 2)]
    expected = torch.autograd.grad(F.leaky_integrator_multi_step(x)[1].sum(), x)
    assert torch.equal(torch.autograd.grad(v.sum(), x)[0], expected[0])
    (backward,) = recorder.backward
    ((given, count),) = kernels(backward)
    assert not given & {"x", "v"} and count == 1


def test_gradients_of_a_linear_neuron_in_channels_last():
    torch._dynamo.reset()
    function = lambda x: F.leaky_integrator_multi_step(x)
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    x = torch.randn(4, 2, 5, 5, 3).movedim(-1, 2).requires_grad_()
    for output, expected in zip(compiled(x), function(x)):
        assert torch.equal(output, expected)
        grads = [torch.autograd.grad(result.sum(), x, retain_graph=True)[0] for result in (output, expected)]
        assert torch.equal(*grads)
        weights = torch.rand(output.shape)
        grads = [torch.autograd.grad(result, x, weights, retain_graph=True)[0] for result in (output, expected)]
        assert torch.equal(*grads)


def test_the_compiler_is_not_imported_before_it_is_used():
    check = "import sys, spiking_neurons.nn; sys.exit('torch._dynamo' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0


@pytest.mark.parametrize("step_mode", ["s", "m"])
def test_accelerated_nodes(step_mode):
    pytest.importorskip("spikingjelly", reason="spikingjelly is not installed")
    from spikingjelly.activation_based import functional, neuron, surrogate

    torch._dynamo.reset()
    node = neuron.ParametricLIFNode(surrogate_function=surrogate.ATan(), step_mode=step_mode)
    assert sn.accelerate(node).replaced
    compiled = torch.compile(node, fullgraph=True, backend="aot_eager")
    xs = [torch.randn(9, 4) * 2 for _ in range(3)]

    def run(function):
        functional.reset_net(node)
        node.zero_grad()
        outputs = [function(x) for x in xs]
        torch.stack(outputs).cumsum(0).sum().backward()
        return [*outputs, node.v.detach(), node.w.grad.clone()]

    assert all(map(torch.equal, run(compiled), run(node)))
