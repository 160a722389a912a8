"""Where a training step of a network spends its time on a GPU, and what is in memory at its peak.

    python scripts/peers/torch_profile.py sew_resnet18 spiking_vgg11_bn --dtypes bfloat16
    python scripts/peers/torch_profile.py sew_resnet18 --contenders SpikingJelly "and both" --kernels

Networks and contenders are those of `torch_networks.py`. Kernels are assigned to kinds by their names; `--kernels` lists them. Times are
those of kernels, without gaps between them: a step takes at least their sum. Memory at the peak is grouped by the innermost function
outside of PyTorch's own dispatch that allocated it.
Needs the packages `spiking-neurons` and `spikingjelly`, and a GPU.
"""

import argparse
import collections
import re
import subprocess
import sys

import torch

#: The first pattern that a kernel's name contains decides.
KINDS = {
    "sums of gradients": r"sum_rows|sum_segments|round_sums",
    "spikes as bits": r"pack_spikes",
    "neurons": r"_(fptt|bptt|forward|backward)(_[a-z]+)*_(f32|f16|bf16|f64)$",
    "gradient through normalisation": r"moments_gradient|batch_norm_backward_elemt",
    "statistics of normalisation": r"moments|batch_norm_collect|welford",
    "normalisation": r"batch_?norm|bn_fw|bn_bw",
    "convolutions and matrix products": r"conv|gemm|wgrad|dgrad|fprop|cutlass|xmma|nvjet|implicit|cudnn|s\d+_",
    "pooling": r"pool",
    "copies and changes of format": r"copy|convert|nchw|nhwc|cat",
    "optimizer": r"multi_tensor|foreach",
}


def kind(name):
    return next((kind for kind, pattern in KINDS.items() if re.search(pattern, name, re.IGNORECASE)), "elementwise and other")


def kernels(step, repetitions=5):
    """Milliseconds of each kernel in a step, by name, and how often it runs."""
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        for _ in range(repetitions):
            step()
        torch.cuda.synchronize()
    times, counts = collections.Counter(), collections.Counter()
    for event in profile.events():
        if event.device_type == torch.autograd.DeviceType.CUDA and not event.is_user_annotation:
            times[event.name] += event.device_time / 1e3 / repetitions
            counts[event.name] += 1 / repetitions
    return times, counts


def memory(step):
    """MiB at the peak of a step, by what allocated it, and the peak."""
    torch.cuda.memory._record_memory_history(context="alloc", stacks="python", max_entries=1 << 20)
    older = torch.cuda.memory_allocated()
    step()
    torch.cuda.synchronize()
    trace = torch.cuda.memory._snapshot()["device_traces"][torch.cuda.current_device()]
    torch.cuda.memory._record_memory_history(enabled=None)
    live, total, peak, at_peak = {}, older, 0, {}
    for event in trace:
        if event["action"] == "alloc":
            live[event["addr"]] = (event["size"], origin(event["frames"]))
            total += event["size"]
            if total > peak:
                peak, at_peak = total, {None: (older, "before the step: parameters, input"), **live}
        elif event["action"] == "free_requested":
            total -= event["size"]
            if live.pop(event["addr"], None) is None:
                older -= event["size"]
    by_origin = collections.Counter()
    for size, name in at_peak.values():
        by_origin[name] += size
    return {name: size / 2**20 for name, size in by_origin.items()}, peak / 2**20


def origin(frames):
    """The innermost Python function that is worth naming; none in the backward pass of PyTorch's own operations."""
    for frame in frames:
        file = frame["filename"]
        if "torch/" in file and not re.search(r"nn/functional|nn/modules|optim/", file):
            continue
        return f"{file.rsplit('/', 1)[-1]}: {frame['name']}"
    return "PyTorch's backward pass"


def report(title, rows, unit, least):
    total = sum(rows.values())
    print(f"| {title} | {unit} | share |\n| --- | --- | --- |")
    for name, value in sorted(rows.items(), key=lambda row: -row[1]):
        if value >= least * total:
            print(f"| {name} | {value:.2f} | {value / total:.2f} |")
    print(f"| all | {total:.2f} | |\n")


def child(args):
    import torch_networks

    name, dtype, contender = args.child
    how, network = torch_networks.CONTENDERS[contender], torch_networks.NETWORKS[name]
    dtype, device = getattr(torch, dtype), torch.device("cuda")
    reason = how.misfit(network, dtype, device)
    if reason is not None:
        print(f"left out: {reason}\n")
        return
    torch.backends.cudnn.benchmark = True
    model = torch_networks.model(network, how, dtype, device, False)
    x, labels = torch_networks.data(network, network.batch[0], device, False)
    step = torch_networks.training_step(model, model, how, dtype, x, labels)
    for _ in range(5):
        step()
    times, counts = kernels(step)
    by_kind = collections.Counter()
    for kernel, ms in times.items():
        by_kind[kind(kernel)] += ms
    report("kernels", by_kind, "ms", 0.0)
    if args.kernels:
        for kernel, ms in times.most_common(args.kernels):
            print(f"{ms:8.3f} ms {counts[kernel]:6.1f} times  {kind(kernel)[:12]:12}  {kernel[:120]}")
        print()
    by_origin, peak = memory(step)
    report(f"memory at the peak of {peak:.0f} MiB", by_origin, "MiB", 0.01)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=["sew_resnet18", "spiking_vgg11_bn"])
    parser.add_argument("--dtypes", nargs="+", default=["bfloat16"])
    parser.add_argument("--contenders", nargs="+", default=["SpikingJelly", "and both"])
    parser.add_argument("--kernels", type=int, nargs="?", const=25, default=0, help="list so many of the longest, 25 by default")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args)
        return
    print(f"PyTorch {torch.__version__}, {torch.cuda.get_device_name()}; a training step\n", flush=True)
    failed = False
    for name in args.networks:
        for dtype in args.dtypes:
            for contender in args.contenders:
                print(f"{name}, {dtype}, {contender}\n", flush=True)
                # A process of its own, so that none profits from what another left in the allocator.
                command = [sys.executable, __file__, "--child", name, dtype, contender]
                command += ["--kernels", str(args.kernels)] if args.kernels else []
                failed |= subprocess.run(command, check=False).returncode != 0
    sys.exit(failed)


if __name__ == "__main__":
    main()
