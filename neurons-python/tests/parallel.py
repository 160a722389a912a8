"""Training on several processes, for `test_parallel.py`: each scenario runs on one process, too, where it has the whole batch.

A scenario returns `(parameters, shares)`: the parameters at its end, which every process must have, and tensors of which
every process has its share of the batch.
"""

import contextlib
import datetime
import functools
import os
import pathlib
import traceback

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.nn.parallel import DistributedDataParallel

import spiking_neurons as sn

STEPS, BATCH = 5, 8


class Network(nn.Module):
    """Learnable parameters of neurons: one value a channel, and one a layer."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(2, 4, 3, padding=1)
        self.channels = sn.Plif(w=torch.linspace(-1.0, 1.0, 4).reshape(4, 1, 1), step_mode="m")
        self.dense = nn.Linear(4 * 5 * 5, 12)
        self.layer = sn.Klif(step_mode="m", detach_reset=True)
        self.readout = nn.Linear(12, 3)
        self.integrator = sn.LeakyIntegrator(step_mode="m")

    def forward(self, x_seq):
        spikes = self.channels(self.convolution(x_seq.flatten(0, 1)).unflatten(0, x_seq.shape[:2]))
        spikes = self.layer(self.dense(spikes.flatten(2)) * 4)
        return self.integrator(self.readout(spikes)).mean(0)


class Place:
    """A process among `world`, each with a part of every batch."""

    def __init__(self, rank, world, device):
        self.rank, self.world = rank, world
        self.device = torch.device(device, rank) if device == "cuda" else torch.device(device)

    def share(self, count):
        """This process's samples of so many; the first ones have one more if they cannot be divided."""
        return torch.arange(count).tensor_split(self.world)[self.rank]

    def weight(self, count):
        """Of the mean over the share, so that the mean over processes is that over the batch."""
        return len(self.share(count)) * self.world / count


def ddp(network, place):
    ids = [place.device.index] if place.device.type == "cuda" else None
    return DistributedDataParallel(network, device_ids=ids) if place.world > 1 else network


def fsdp(network, place, **options):
    """Every layer by itself, neurons too."""
    if place.world > 1:
        for child in network.children():
            if any(True for _ in child.parameters()):
                fully_shard(child, **options)
        fully_shard(network, **options)
    return network


def made(place, wrap):
    torch.manual_seed(0)
    network = Network().double().to(place.device)
    model = wrap(network, place)
    return network, model, torch.optim.SGD(model.parameters(), 0.2, momentum=0.9)


def batch(place, step, count=BATCH):
    """Inputs and labels of this process."""
    generator = torch.Generator().manual_seed(step)
    x_seq = torch.randn(STEPS, count, 2, 5, 5, generator=generator, dtype=torch.float64) * 3
    labels = torch.randint(3, (count,), generator=generator)
    share = place.share(count)
    return x_seq[:, share].to(place.device), labels[share].to(place.device)


def reset(network):
    for module in network.modules():
        if isinstance(module, sn.Node):
            module.reset()


def parameters(network):
    """The whole ones."""
    whole = {name: getattr(value, "full_tensor", lambda: value)() for name, value in network.named_parameters()}
    return {name.removeprefix("module."): value.detach().cpu() for name, value in whole.items()}


@contextlib.contextmanager
def unsynchronised(model):
    """Gradients stay with each process."""
    if isinstance(model, FSDPModule):
        model.set_requires_gradient_sync(False)
        yield
        model.set_requires_gradient_sync(True)
    else:
        with model.no_sync() if isinstance(model, DistributedDataParallel) else contextlib.nullcontext():
            yield


def loss_of(model, place, step, count=BATCH):
    x_seq, labels = batch(place, step, count)
    return nn.functional.cross_entropy(model(x_seq), labels) * place.weight(count)


def update(optimizer):
    optimizer.step()
    optimizer.zero_grad()


def batches(place, wrap):
    """The last one is smaller, and of another size on each process."""
    network, model, optimizer = made(place, wrap)
    for step, count in enumerate([BATCH, BATCH, 5]):
        reset(network)
        loss_of(model, place, step, count).backward()
        update(optimizer)
    return parameters(network), {}


def accumulation(place, wrap):
    """Two batches an update, exchanged once."""
    network, model, optimizer = made(place, wrap)
    for step in range(0, 4, 2):
        with unsynchronised(model):
            reset(network)
            loss_of(model, place, step).backward()
        reset(network)
        loss_of(model, place, step + 1).backward()
        update(optimizer)
    return parameters(network), {}


def carried(place, wrap):
    """The state goes on from sequence to sequence: each process keeps that of its samples."""
    network, model, optimizer = made(place, wrap)
    for step in range(3):
        loss_of(model, place, step).backward()
        update(optimizer)
        for module in network.modules():
            if isinstance(module, sn.Node):
                module.detach()
    shares = {
        f"{name}.{state}": value.cpu()
        for name, module in network.named_modules()
        if isinstance(module, sn.Node)
        for state, value in module.states.items()
    }
    return parameters(network), shares


def joined(place, wrap):
    """The first process has a batch more than the others."""
    network, model, optimizer = made(place, wrap)
    context = model.join(divide_by_initial_world_size=False) if place.world > 1 else contextlib.nullcontext()
    with context:
        for step in range(3):
            last = step == 2
            if last and place.rank > 0:
                break
            x_seq, labels = batch(place, step)
            if last and place.world == 1:
                half = Place(0, 2, place.device.type).share(BATCH)
                x_seq, labels = x_seq[:, half], labels[half]
            reset(network)
            nn.functional.cross_entropy(model(x_seq), labels).backward()
            update(optimizer)
    return parameters(network), {}


def mixed_precision(place):
    """Parameters are bfloat16 in a forward pass: those of neurons lose digits, states and arithmetic do not."""
    torch.manual_seed(0)
    network = Network()
    with torch.no_grad():
        # Sums of products of these and of whole inputs are exact, so rounding does not depend on the batch, and nor do spikes.
        for parameter in network.parameters():
            parameter.copy_((parameter * 16).round() / 16)
    network.to(place.device)
    policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    if place.world > 1:
        model = fsdp(network, place, mp_policy=policy)
    else:
        model = network.bfloat16()
    x_seq, labels = batch(place, 0)
    scores = model(x_seq.round().bfloat16())
    assert scores.dtype == torch.bfloat16 and network.layer.v.dtype == torch.float32
    nn.functional.cross_entropy(scores.float(), labels).backward()
    grads = {name: value.grad for name, value in network.named_parameters()}
    whole = {name: getattr(value, "full_tensor", lambda: value)() for name, value in grads.items()}
    return {name: value.float().cpu() for name, value in whole.items()}, {"scores": scores.detach().float().cpu()}


def _refusal(module):
    """What `fully_shard` says of a module that it cannot shard."""
    try:
        fully_shard(module)
    except ValueError as error:
        return str(error)
    return "nothing"


def accelerated(place, wrap):
    """Nodes of SpikingJelly, whose learnable parameter has no dimensions."""
    from spikingjelly.activation_based import functional, layer, neuron

    torch.manual_seed(0)
    network = nn.Sequential(
        layer.Linear(6, 12, step_mode="m"),
        neuron.ParametricLIFNode(step_mode="m"),
        layer.Linear(12, 3, step_mode="m"),
    )
    sn.accelerate(network)
    network = network.double().to(place.device)
    if wrap is fsdp:
        if place.world > 1:
            refused = _refusal(neuron.ParametricLIFNode())
            assert "scalar parameters" in refused, refused
        network[1].w = nn.Parameter(network[1].w.detach().reshape(1))
    model = wrap(network, place)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for step in range(2):
        x_seq = torch.randn(STEPS, BATCH, 6, generator=torch.Generator().manual_seed(step), dtype=torch.float64) * 2
        functional.reset_net(network)
        model(x_seq[:, place.share(BATCH)].to(place.device)).mean(0).square().mean().backward()
        update(optimizer)
    return parameters(network), {}


def synchronised(place):
    """Statistics of the whole batch; the last one is of another size on each process. Running ones are the same on all."""
    torch.manual_seed(0)
    first = sn.nn.BatchNormNode(nn.BatchNorm2d(2), sn.Lif(step_mode="m"))
    network = nn.Sequential(first, nn.Flatten(2), nn.Linear(50, 3)).double().to(place.device)
    model = ddp(network, place)
    if place.world > 1:
        # Afterwards, because DDP refuses PyTorch's own on a CPU. It has the same parameters.
        first.norm = nn.SyncBatchNorm.convert_sync_batchnorm(first.norm)
    optimizer = torch.optim.SGD(model.parameters(), 0.2)
    for step, count in enumerate([BATCH, BATCH, 5]):
        network[0].reset()
        x_seq, labels = batch(place, step, count)
        scores = model(x_seq).mean(0)
        (nn.functional.cross_entropy(scores, labels) * place.weight(count)).backward()
        update(optimizer)
    running = {f"running {name}": value.cpu() for name, value in network.named_buffers()}
    return {**parameters(network), **running}, {}


SCENARIOS = {
    **{f"{run.__name__}-{wrap.__name__}": functools.partial(run, wrap=wrap)
       for run in (batches, accumulation, carried, accelerated) for wrap in (ddp, fsdp)},
    "joined-ddp": functools.partial(joined, wrap=ddp),
    "mixed_precision-fsdp": mixed_precision,
    "synchronised-ddp": synchronised,
}  # fmt: skip


def process(rank, world, device, folder):
    """Every scenario, one after the other; results and errors go to a file of this process."""
    folder = pathlib.Path(folder)
    torch.set_num_threads(1)
    place = Place(rank, world, device)
    if device == "cuda":
        torch.cuda.set_device(place.device)
    dist.init_process_group(
        "nccl" if device == "cuda" else "gloo",
        init_method=(folder / "store").as_uri(),
        rank=rank,
        world_size=world,
        timeout=datetime.timedelta(seconds=60),
    )
    results = {}
    for name, scenario in SCENARIOS.items():
        try:
            results[name] = scenario(place)
        except Exception:
            results[name] = traceback.format_exc()
    torch.save(results, folder / f"{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()
    # A thread of gloo that is still there when the interpreter shuts down would abort the process now and then.
    os._exit(0)
