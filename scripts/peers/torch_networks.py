"""The networks of `torch_network.py`, built from SpikingJelly's nodes, and the contenders that run them.

Images: SpikingJelly's own models. Sounds: a network of the size that is usual for the Spiking Heidelberg Digits (Cramer et al. 2020): 700
channels, two hidden layers of 256 neurons, feed-forward or each with recurrent connections, and 20 classes. Its readout is the
mean over time of a linear layer.
"""

import contextlib
import dataclasses

import torch
from spikingjelly.activation_based import functional, neuron, precision, surrogate
from spikingjelly.activation_based.model import sew_resnet, spikformer, spiking_resnet, spiking_vgg

import spiking_neurons as sn

NODES = {"surrogate_function": surrogate.ATan(), "detach_reset": True}
#: `decay_input=False` is the neuron of that literature. With these weights a few percent of the neurons fire in each step.
SOUND = {"tau": 5.0, "decay_input": False, **NODES}


class Layer(torch.nn.Module):
    """A linear layer and neurons; if recurrent, their spikes come back one step later, through another linear layer."""

    def __init__(self, inputs, outputs, node, recurrent):
        super().__init__()
        self.linear, self.node, self.recurrent = torch.nn.Linear(inputs, outputs), node, None
        torch.nn.init.normal_(self.linear.weight, std=3.0 / inputs**0.5)
        if recurrent:
            self.recurrent = torch.nn.Linear(outputs, outputs, bias=False)
            torch.nn.init.normal_(self.recurrent.weight, std=1.0 / outputs**0.5)

    def forward(self, x_seq):
        currents = self.linear(x_seq)
        if self.recurrent is None:
            return self.node(currents)
        weight = self.recurrent.weight.t()
        first, *rest = currents.unbind()
        spikes = [self.node(first)]
        for current in rest:
            spikes.append(self.node(torch.addmm(current, spikes[-1], weight)))
        return torch.stack(spikes)


class Sounds(torch.nn.Module):
    """Whole sequences go through one layer after the other."""

    def __init__(self, make_node, recurrent, channels, hidden):
        super().__init__()
        sizes = [channels, hidden, hidden]
        self.layers = torch.nn.Sequential(
            *[Layer(*size, make_node(), recurrent) for size in zip(sizes, sizes[1:])]
        )
        self.readout = torch.nn.Linear(hidden, 20)

    def forward(self, x_seq):
        return self.readout(self.layers(x_seq))


@dataclasses.dataclass(frozen=True)
class Network:
    """What is measured on it.

    Attributes:
        build: makes it, from a constructor of nodes or None for SpikingJelly's, and whether it is to be small.
        steps: T, of the full and of the small one.
        batch: the same.
        shape: the same, of the input of one step of one sample.
        is_image: whether the network takes images, in channels_last.
        is_stepwise: whether nodes take single steps.
    """

    build: object
    steps: tuple[int, int]
    batch: tuple[int, int]
    shape: tuple[tuple[int, ...], tuple[int, ...]]
    is_image: bool = True
    is_stepwise: bool = False


def images(build, steps=4, batch=32):
    return Network(build, (steps, 2), (batch, 2), ((3, 224, 224), (3, 32, 32)))


def sounds(recurrent):
    def build(make_node, small):
        make_node = make_node or (lambda: neuron.LIFNode(**SOUND))
        return Sounds(make_node, recurrent, *((70, 32) if small else (700, 256)))

    return Network(build, (100, 10), (256, 8), ((700,), (70,)), is_image=False, is_stepwise=recurrent)


def small_spikformer():
    size = {"img_size_h": 32, "img_size_w": 32, "patch_size": 4, "embed_dims": 64, "num_heads": 4, "depths": 2}
    return spikformer.Spikformer(**size, **NODES)


LIF = {"spiking_neuron": neuron.LIFNode, **NODES}
NETWORKS = {
    "sew_resnet18": images(lambda _, small: sew_resnet.sew_resnet18(cnf="ADD", **LIF)),
    "spiking_resnet18": images(lambda _, small: spiking_resnet.spiking_resnet18(**LIF)),
    "spiking_vgg11_bn": images(lambda _, small: spiking_vgg.spiking_vgg11_bn(**LIF)),
    "spikformer_ti": images(lambda _, small: small_spikformer() if small else spikformer.spikformer_ti(**NODES)),
    "shd_feedforward": sounds(False),
    "shd_recurrent": sounds(True),
}


@dataclasses.dataclass(frozen=True)
class Contender:
    """How a network is run.

    Attributes:
        accelerate: arguments of `accelerate`, or None to leave nodes as they are.
        context: of the forward pass.
        precision: whether SpikingJelly's own conversion for half precision is applied.
        native: whether nodes are modules of this package from the start.
    """

    accelerate: dict | None = None
    context: object = contextlib.nullcontext
    precision: bool = False
    native: bool = False

    def misfit(self, network, dtype, device):
        """Why it does not apply, or None."""
        options = self.accelerate or {}
        if self.precision and (dtype == torch.float32 or device.type == "cpu"):
            return "for half precision on a GPU"
        if network.is_stepwise and (self.precision or "keep_states" in options):
            return "for whole sequences"
        if not network.is_image and options.get("fuse_batch_norm"):
            return "there is no normalisation"
        if network.is_image and self.native:
            return "the model is SpikingJelly's"
        return None


CONTENDERS = {
    "SpikingJelly": Contender(),
    "SpikingJelly, its precision API": Contender(precision=True),
    "accelerated": Contender({}),
    "keep_states=False": Contender({"keep_states": False}),
    "and spikes as bits": Contender({"keep_states": False}, sn.save_spikes_as_bits),
    "and normalisation fused": Contender({"keep_states": False, "fuse_batch_norm": True}),
    "and both": Contender({"keep_states": False, "fuse_batch_norm": True}, sn.save_spikes_as_bits),
    "spiking_neurons.Lif": Contender(native=True),
}


class NothingFused(Exception):
    """Without anything to fuse, the contender is another one."""


def model(network, contender, dtype, device, small):
    """The network as the contender runs it."""
    torch.manual_seed(0)
    mode = "s" if network.is_stepwise else "m"
    if contender.native:
        ours = {"tau": SOUND["tau"], "decay_input": False, "detach_reset": True, "step_mode": mode}
        built = network.build(lambda: sn.Lif(**ours, keep_state=network.is_stepwise), small)
    else:
        built = network.build(None, small)
        functional.set_step_mode(built, mode)
    built = built.to(device)
    if network.is_image:
        built = built.to(memory_format=torch.channels_last)
    if contender.precision:
        name = {torch.float16: "fp16", torch.bfloat16: "bf16"}[dtype]
        built = precision.prepare_model_for_precision(built, device, {"mode": name, "neuron_storage": name}).model
    if contender.accelerate is not None:
        report = sn.accelerate(built, **contender.accelerate)
        if contender.accelerate.get("fuse_batch_norm") and not report.fused:
            raise NothingFused(f"nothing is fused: {next(iter(report.kept_norms.values()), 'there is no normalisation')}")
    return built


def data(network, batch, device, small):
    """An input of random numbers, or of random spikes, and labels."""
    steps, shape = network.steps[small], network.shape[small]
    if network.is_image:
        x = torch.rand(steps * batch, *shape, device=device).to(memory_format=torch.channels_last)
        return x.view(steps, batch, *shape), torch.zeros(batch, dtype=torch.long, device=device)
    x = (torch.rand(steps, batch, *shape, device=device) < 0.05).float()
    return x, torch.randint(20, (batch,), device=device)


def training_step(built, run, contender, dtype, x, labels):
    """A function that does one, with `run` in place of the model's call, and gives the loss."""
    optimizer = torch.optim.SGD(built.parameters(), 1e-3)

    def step():
        functional.reset_net(built)
        with contender.context(), torch.autocast(x.device.type, dtype, enabled=dtype != torch.float32):
            loss = torch.nn.functional.cross_entropy(run(x).float().mean(0), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.detach()

    return step
