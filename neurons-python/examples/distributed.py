"""Trains a network on several GPUs, and measures how that scales.

    torchrun --nproc-per-node 8 neurons-python/examples/distributed.py --check             # DDP
    torchrun --nproc-per-node 8 neurons-python/examples/distributed.py --check --fsdp      # FSDP2
    torchrun --nnodes 2 --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint HOST:29500 neurons-python/examples/distributed.py
    torchrun --nproc-per-node 2 neurons-python/examples/distributed.py --device cpu --model small --batch 4 --side 16 --dtype float32

Measures on one process, two, four and so on up to all, the others waiting: with as many images a process (weak scaling), and with
as many in all (strong scaling). Each measurement is a line of JSON: the median time of a step over the steps and its maximum over
processes, images a second, peak memory of the process that needs most, and the speed relative to that many times one process.

`--check` trains with the same batches on one process and on all, in float64 and with the network in evaluation mode, since batch
normalisation otherwise sees another part of the batch on each process. The parameters must be the same up to rounding.

`small` needs nothing but this package; other models are those of SpikingJelly, with their nodes accelerated. Images are gratings whose
direction is the class, computed on the device: loading data is not part of what is measured.
"""

import argparse
import copy
import gc
import json
import math
import os
import statistics
import sys
import time

import torch
import torch.distributed as dist
from networks import THEIRS, gratings, network
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

TOLERANCE = 1e-6


class Team:
    """The first processes, so many: who trains together."""

    def __init__(self, size, device, group):
        self.size, self.device, self.group = size, device, group
        self.rank = dist.get_rank()

    def largest(self, *values):
        """Of each value over the team."""
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(tensor, dist.ReduceOp.MAX, group=self.group)
        return tensor.tolist()


def initialised(device):
    """The device of this process, after it has joined the others that `torchrun` has started; alone without it."""
    options = {}
    if device == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(device)
    if "RANK" not in os.environ:
        options.update(store=dist.HashStore(), rank=0, world_size=1)
    # Waiting is over gloo: NCCL would keep GPUs busy.
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", **options)
    return torch.device(device)


def parallel(model, team, sharded):
    """The model to be called; `model` itself keeps the names of parameters, and with FSDP2 is the same object."""
    if team.size == 1:
        return model
    if sharded:
        # FSDP2 takes no parameters in channels_last. Convolutions follow the layout of the images.
        model.to(memory_format=torch.contiguous_format)
        mesh = DeviceMesh.from_group(team.group, team.device.type)
        for stage in model.children():
            for block in stage.children():
                # What is small is exchanged with the rest of the model: each exchange has a cost of its own.
                if sum(value.numel() for value in block.parameters()) >= 1 << 16:
                    fully_shard(block, mesh=mesh)
        return fully_shard(model, mesh=mesh)
    return DistributedDataParallel(
        model,
        device_ids=[team.device.index] if team.device.type == "cuda" else None,
        process_group=team.group,
        broadcast_buffers=False,
        gradient_as_bucket_view=True,
    )


def stateful(model):
    """The modules to reset between batches, of either package."""
    return [module for module in model.modules() if hasattr(module, "reset")]


def loss_of(called, x_seq, classes, autocast):
    with autocast:
        scores = called(x_seq)
    if scores.dtype in (torch.float16, torch.bfloat16):
        scores = scores.float()
    return nn.functional.cross_entropy(scores.mean(0), classes)


def durations(step, count, device):
    """Seconds that each of so many steps takes. On a GPU between events on the stream, so that the host can run ahead."""
    if device.type == "cpu":
        times = []
        for _ in range(count):
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
        return times
    events = [torch.cuda.Event(enable_timing=True) for _ in range(count + 1)]
    events[0].record()
    for event in events[1:]:
        step()
        event.record()
    torch.cuda.synchronize()
    return [start.elapsed_time(end) / 1e3 for start, end in zip(events, events[1:])]


def measure(args, team, batch):
    """A training step with so many images a process."""
    model = network(args.model, team.device)
    nodes = stateful(model)
    called = parallel(model, team, args.fsdp)
    optimizer = torch.optim.SGD(model.parameters(), 1e-3, momentum=0.9)
    x_seq, classes = gratings(team.rank * batch, batch, args.steps, args.side, team.device)
    autocast = torch.autocast(team.device.type, getattr(torch, args.dtype), enabled=args.dtype != "float32")

    def step():
        for node in nodes:
            node.reset()
        loss_of(called, x_seq, classes, autocast).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    durations(step, args.warm_up, team.device)
    if team.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    times = durations(step, args.repeats, team.device)
    peak = torch.cuda.max_memory_allocated() / 2**20 if team.device.type == "cuda" else math.nan
    median, peak = team.largest(statistics.median(times), peak)
    return {
        "processes": team.size,
        "batch": batch,
        "step_ms": round(median * 1e3, 3),
        "images_per_s": round(team.size * batch / median, 1),
        "peak_mib": None if math.isnan(peak) else round(peak),
    }


def trained(args, team, model, called, count):
    """The parameters after three updates with batches of so many images in all."""
    nodes = stateful(model)
    share = count // team.size
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    plain = torch.autocast(team.device.type, enabled=False)
    model.eval()
    for update in range(3):
        for node in nodes:
            node.reset()
        first = update * count + (team.rank * share if team.size > 1 else 0)
        x_seq, classes = gratings(first, share, args.steps, min(args.side, 64), team.device, torch.float64)
        loss_of(called, x_seq, classes, plain).backward()
        optimizer.step()
        optimizer.zero_grad()
    return {name: getattr(value, "full_tensor", lambda: value)() for name, value in model.named_parameters()}


def check(args, team, one):
    """How much the updates of the team differ from those of one process, relative to the latter."""
    count = 2 * team.size
    model = network(args.model, team.device).double()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = None
    with torch.no_grad():
        # Batch normalisation gets the statistics of one batch, the same on all processes: without them, neurons of deep layers
        # would not fire, and what comes after them would get no gradient.
        model(gratings(0, count, args.steps, min(args.side, 64), team.device, torch.float64)[0])
    for node in stateful(model):
        node.reset()
    initial = {name: value.detach().clone() for name, value in model.named_parameters()}
    alone = copy.deepcopy(model)
    expected = trained(args, one, alone, alone, count)
    found = trained(args, team, model, parallel(model, team, args.fsdp), count)
    difference = max(
        ((found[name] - value).norm() / (value - initial[name]).norm().clamp_min(1e-30)).item()
        for name, value in expected.items()
    )
    (difference,) = team.largest(difference)
    updated = sum(not torch.equal(value, initial[name]) for name, value in expected.items())
    return {
        "check": "the same as one process",
        "processes": team.size,
        "parameters": len(expected),
        "updated": updated,
        "difference": difference,
        "tolerance": TOLERANCE,
        "passed": difference <= TOLERANCE,
    }


def report(record):
    if dist.get_rank() == 0:
        print(json.dumps(record), flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--fsdp", action="store_true", help="shard parameters with FSDP2, block by block")
    parser.add_argument("--model", choices=["small", *THEIRS], default="sew_resnet18")
    parser.add_argument("--batch", type=int, default=32, help="images a process in weak scaling")
    parser.add_argument(
        "--total", type=int, help="images in all in strong scaling; as many as the largest of weak scaling"
    )
    parser.add_argument(
        "--sizes", type=int, nargs="+", help="numbers of processes to measure with; powers of two, and all"
    )
    parser.add_argument("--scaling", choices=["weak", "strong"], nargs="*", default=["weak", "strong"])
    parser.add_argument("--steps", type=int, default=4, help="steps of the neurons")
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--dtype", choices=["float32", "float16", "bfloat16"], default="bfloat16", help="of autocast")
    parser.add_argument("--warm-up", type=int, default=10, help="training steps that are not timed")
    parser.add_argument("--repeats", type=int, default=30, help="training steps that are timed")
    parser.add_argument("--check", action="store_true", help="compare with training on one process")
    return parser.parse_args()


def main():
    args = arguments()
    device = initialised(args.device)
    world = dist.get_world_size()
    sizes = sorted(set(args.sizes or [*[2**power for power in range(world.bit_length())], world]))
    if sizes[0] < 1 or sizes[-1] > world:
        sys.exit(f"--sizes: {sizes} given, numbers from 1 to {world} expected, which is how many processes there are")
    total = args.total or args.batch * sizes[-1]
    if "strong" in args.scaling and any(total % size for size in sizes):
        sys.exit(f"--total: {total} images cannot be divided among each of {sizes} processes")
    if args.check and world == 1:
        sys.exit("--check compares several processes with one: start two or more with torchrun")
    torch.backends.cudnn.benchmark = True
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    report({**vars(args), "processes": world, "torch": torch.__version__, "name": name})
    teams = {size: Team(size, device, dist.new_group(list(range(size)))) for size in {1, *sizes, world}}
    passed = True
    if args.check:
        one = Team(1, device, None)
        record = check(args, teams[world], one)
        passed = record["passed"]
        report({"engine": "fsdp" if args.fsdp else "ddp", **record})
    for scaling in args.scaling:
        base = None
        for size in sizes:
            batch = args.batch if scaling == "weak" else total // size
            if dist.get_rank() < size:
                record = measure(args, teams[size], batch)
                base = base or record
                ideal = base["images_per_s"] / base["processes"] * size
                engine = "none" if size == 1 else "fsdp" if args.fsdp else "ddp"
                report({"scaling": scaling, "engine": engine, **record,
                        "efficiency": round(record["images_per_s"] / ideal, 3)})  # fmt: skip
            gc.collect()
            if device.type == "cuda":
                torch.cuda.empty_cache()
            dist.all_reduce(torch.zeros(1))
    dist.destroy_process_group()
    return 0 if passed else 1


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # A thread of gloo that is still there when the interpreter shuts down would abort the process now and then.
    os._exit(status)
