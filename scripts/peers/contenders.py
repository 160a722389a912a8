"""The same layer in other software. Each is made for one shape and then called as often as one likes."""

import torch

from inputs import ALPHA, TAU, V_RESET, V_THRESHOLD


class Contender:
    """A layer: `forward(x_seq, v)` gives spikes, from the state `v` before the first step."""

    name: str
    implementation: str
    """Which of its implementations it chose."""

    def forward(self, x_seq: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def state(self, x_seq: torch.Tensor) -> torch.Tensor:
        """`v` before the first step, in the format that it computes in."""
        return torch.full_like(x_seq[0], V_RESET, dtype=torch.float32)


class SpikingJelly(Contender):
    """`LIFNode` with the implementation that it chooses for the device."""

    name = "SpikingJelly LIFNode"

    def __init__(self, device: torch.device):
        from spikingjelly.activation_based import functional, neuron, surrogate

        self.node = neuron.LIFNode(
            tau=TAU,
            decay_input=True,
            v_threshold=V_THRESHOLD,
            v_reset=V_RESET,
            surrogate_function=surrogate.ATan(alpha=ALPHA),
            detach_reset=False,
            step_mode="m",
            store_v_seq=False,
        )
        self.implementation = functional.neuron_implementation("lif", device)["implementation"]

    def state(self, x_seq):
        v = torch.full_like(x_seq[0], V_RESET)  # what it makes of any other format
        if v.dtype != torch.float32:
            self.implementation = "torch-reference"  # its kernels take no other state than float32
        return v

    def forward(self, x_seq, v):
        self.node.v = v
        return self.node(x_seq)


class SpikingJellyFunction(Contender):
    """The function behind `LIFNode`, given a float32 state: the way to its kernels in half precision."""

    name = "SpikingJelly lif_multi_step"

    def __init__(self, device: torch.device):
        from spikingjelly.activation_based import functional, surrogate

        self.function, self.surrogate = functional.lif_multi_step, surrogate.ATan(alpha=ALPHA)
        self.implementation = functional.neuron_implementation("lif", device)["implementation"]

    def forward(self, x_seq, v):
        return self.function(x_seq, v, TAU, True, V_THRESHOLD, V_RESET, self.surrogate)[0]


class FlexSN(Contender):
    """SpikingJelly's compiler, given the equations of one step."""

    name = "SpikingJelly FlexSN"

    def __init__(self, device: torch.device):
        from spikingjelly.activation_based import neuron, surrogate

        def step(x, v):
            h = v + (x - (v - V_RESET)) / TAU
            spike = surrogate.atan.apply(h - V_THRESHOLD, ALPHA)
            return spike, spike * V_RESET + (1.0 - spike) * h

        self.node = neuron.FlexSN(step, num_states=1, step_mode="m")

    @property
    def implementation(self):
        chosen = set(self.node._triton_capability.values())  # nothing public says so
        return "triton" if chosen == {True} else "torch"

    def state(self, x_seq):
        return torch.full_like(x_seq[0], V_RESET)  # it takes no other format

    def forward(self, x_seq, v):
        self.node.states = (v,)
        return self.node(x_seq)


class ATan(torch.autograd.Function):
    """The Heaviside step with the gradient of `atan(pi / 2 alpha u) / pi`."""

    @staticmethod
    def forward(ctx, u):
        ctx.save_for_backward(u)
        return (u >= 0).to(u.dtype)

    @staticmethod
    def backward(ctx, grad):
        (u,) = ctx.saved_tensors
        return grad * (ALPHA / 2) / (1 + (torch.pi / 2 * ALPHA * u) ** 2)


def loop(x_seq, v):
    """The equations as one writes them in PyTorch."""
    spike_seq = []
    for x in x_seq:
        h = v + (x - (v - V_RESET)) / TAU
        spike = ATan.apply(h - V_THRESHOLD)
        v = spike * V_RESET + (1.0 - spike) * h
        spike_seq.append(spike.to(x.dtype))
    return torch.stack(spike_seq)


class Eager(Contender):
    name = "PyTorch"
    implementation = "eager"

    def __init__(self, device: torch.device):
        pass

    def forward(self, x_seq, v):
        return loop(x_seq, v)


class Compiled(Contender):
    name = "PyTorch"
    implementation = "torch.compile"

    def __init__(self, device: torch.device):
        # Compiled for one shape, as for a layer whose shapes do not change.
        self.compiled = torch.compile(loop, fullgraph=True, dynamic=False)

    def forward(self, x_seq, v):
        return self.compiled(x_seq, v)


def kinds(dtype: torch.dtype) -> list:
    """Those that differ from one another for inputs of that format."""
    half = [] if dtype == torch.float32 else [SpikingJellyFunction]
    return [SpikingJelly, *half, FlexSN, Compiled, Eager]
