"""A training step of networks of spiking neurons: SpikingJelly as it is, and with the neurons of this package.

    python scripts/peers/torch_network.py --json networks.jsonl         # all of them, about half an hour on an H100
    python scripts/peers/torch_network.py --networks sew_resnet18 --dtypes bfloat16
    python scripts/peers/torch_network.py --device cpu --small          # whether it works

Random data, ATan with a detached reset, SGD; images in channels_last, T = 4. Networks and contenders are those of `torch_networks.py`. Each
contender runs in a process of its own, in several modes: eager; its step captured as a CUDA graph; compiled by `torch.compile`; and
compiled, then captured. Prints the time of a step, the energy of the GPU by NVML, and the peak memory that PyTorch allocated in eager
mode, as tables in Markdown; what does not apply or does not work is listed below with the reason. `--json` appends
one measurement a line to a file.
Needs the packages `spiking-neurons` and `spikingjelly` (with torchvision and h5py), and a GPU unless `--device cpu` is given.
"""

import argparse
import json
import subprocess
import sys
import time

import torch

#: A capture that fails may leave a process that nothing else works in, so captures come last.
MODES = {"eager": "eager", "compile": "compiled", "graph": "as a graph", "compile-graph": "compiled, as a graph"}
DTYPES = ["float32", "float16", "bfloat16"]
NETWORKS = ["sew_resnet18", "spiking_vgg11_bn", "spikformer_ti", "shd_feedforward", "shd_recurrent"]


def measure(args, name, dtype, contender):
    """The measurements of a contender, one dictionary a mode: in the process of its own."""
    import torch_networks
    from torch_timing import captured, measured, synchronize

    network, how, device = torch_networks.NETWORKS[name], torch_networks.CONTENDERS[contender], torch.device(args.device)
    dtype = getattr(torch, dtype)
    reason = how.misfit(network, dtype, device)
    if reason is not None:
        yield {"mode": None, "skipped": reason}
        return
    torch.backends.cudnn.benchmark = True
    if args.small:
        torch.set_num_threads(1)
    fallbacks = reasons_for_fallbacks()
    try:
        model = torch_networks.model(network, how, dtype, device, args.small)
    except torch_networks.NothingFused as error:
        yield {"mode": None, "skipped": str(error)}
        return
    x, labels = torch_networks.data(network, args.batch or network.batch[args.small], device, args.small)
    compiled = torch.compile(model)
    for mode in modes(args, network):
        run = compiled if "compile" in mode else model
        step = torch_networks.training_step(model, run, how, dtype, x, labels)
        found = {"mode": mode}
        try:
            start = time.perf_counter()
            found["losses"] = [step().item() for _ in range(3)]
            found["warm_up_s"] = time.perf_counter() - start
            if mode == "eager" and device.type == "cuda":
                torch.cuda.reset_peak_memory_stats()
                step()
                synchronize(device)
                found["peak_mib"] = torch.cuda.max_memory_allocated() / 2**20
            found["ms"], found["joules"] = measured(captured(step) if "graph" in mode else step, device, args.seconds)
        except Exception as error:
            found["failed"] = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        if contender.startswith("SpikingJelly"):
            found["backend"] = backend(device, fallbacks)
        yield found
        del step


def modes(args, network):
    """Those asked for; by default, compiled ones where the host has much to do."""
    chosen = args.modes or (list(MODES) if network.is_stepwise else ["eager", "graph"])
    return [mode for mode in chosen if args.device != "cpu" or "graph" not in mode]


def reasons_for_fallbacks():
    """A list that gets what SpikingJelly logs when a node leaves its kernels."""
    from spikingjelly.logger import logger

    messages = []
    logger.remove()
    logger.enable("spikingjelly")
    keep = lambda message: messages.append(str(message).partition("reason=")[2].strip())
    logger.add(keep, level="INFO", format="{message}", filter=lambda record: "profile=fallback" in record["message"])
    return messages


def backend(device, fallbacks):
    """What SpikingJelly's LIF runs on."""
    from spikingjelly.activation_based import functional

    known = functional.neuron_implementation("lif", device)["implementation"]
    return f"PyTorch operations: {fallbacks[0]}" if fallbacks else known


def child(args):
    """Prints the measurements of one contender, one a line."""
    name, dtype, contender = args.child
    for found in measure(args, name, dtype, contender):
        print(json.dumps(found), flush=True)


def contend(args, name, dtype, contender):
    """The measurements of one contender, from a process of its own, and what went wrong."""
    command = [sys.executable, __file__, "--child", name, dtype, contender, "--device", args.device]
    command += ["--seconds", str(args.seconds)] + ["--small"] * args.small
    command += ["--batch", str(args.batch)] if args.batch else []
    command += ["--modes", *args.modes] if args.modes else []
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=args.limit)
        output, error = done.stdout, done.stderr.strip().splitlines()[-1:] if done.returncode else []
        error = error or ([f"exit status {done.returncode}"] if done.returncode else [])
    except subprocess.TimeoutExpired as expired:
        output = (expired.stdout or b"").decode()
        error = [f"not done after {args.limit} s"]
    found = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [*found, *({"mode": None, "failed": reason} for reason in error)]


def table(name, dtype, rows):
    """Lines of Markdown, from the measurements of each contender."""
    measured = [row for found in rows.values() for row in found if "ms" in row]
    columns = [mode for mode in MODES if any(row["mode"] == mode for row in measured)]
    has_energy = any(row["joules"] is not None for row in measured)
    has_memory = any("peak_mib" in row for row in measured)
    heads = [f"{MODES[mode]}, {unit}" for mode in columns for unit in ("ms", *["J"] * has_energy)]
    heads += ["peak memory, MiB", ""] if has_memory else []
    yield f"| {name}, {dtype} | {' | '.join(heads)} |"
    yield "| --- " * (len(heads) + 1) + "|"
    base = None
    for contender, found in rows.items():
        by_mode = {row["mode"]: row for row in found if "ms" in row}
        if not by_mode:
            continue
        cells = []
        for mode in columns:
            row = by_mode.get(mode, {})
            cells.append(shown(row.get("ms"), 2))
            cells += [shown(row.get("joules"), 2)] * has_energy
        if has_memory:
            peak = by_mode.get("eager", {}).get("peak_mib")
            base = base or peak
            cells += [shown(peak, 0), shown(peak and peak / base, 2)]
        yield f"| {contender} | {' | '.join(cells)} |"
    yield ""
    left_out = {}
    for contender, found in rows.items():
        tried = ", ".join(row["mode"] for row in found if "ms" in row)
        for row in found:
            if "skipped" in row:
                left_out.setdefault(row["skipped"], []).append(contender)
            elif "failed" in row:
                where = MODES[row["mode"]] if row["mode"] else f"after {tried or 'nothing'}"
                yield f"- {contender}: failed, {where}: {row['failed']}"
        names = {row["backend"] for row in found if "backend" in row}
        if names:
            yield f"- {contender}: LIF runs on {'; '.join(sorted(names))}"
    for reason, contenders in left_out.items():
        yield f"- left out: {', '.join(contenders)} ({reason})"


def shown(number, digits):
    return "" if number is None else f"{number:.{digits}f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, default=["float32", "bfloat16"])
    parser.add_argument("--contenders", nargs="+", help="some of them instead of all")
    parser.add_argument("--modes", nargs="+", choices=MODES, help="instead of eager and graph, or of all for shd_recurrent")
    parser.add_argument("--batch", type=int, help="instead of 32 images or 256 sounds")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="small networks and batches, to see whether it works")
    parser.add_argument("--seconds", type=float, default=2.0, help="that each measurement takes")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds that a contender may take")
    parser.add_argument("--json", help="a file that measurements are appended to, one a line")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args)
        return
    import torch_networks

    for name in args.networks:
        if name not in torch_networks.NETWORKS:
            parser.error(f"unknown network {name!r}; known are {', '.join(torch_networks.NETWORKS)}")
    contenders = args.contenders or list(torch_networks.CONTENDERS)
    for contender in contenders:
        if contender not in torch_networks.CONTENDERS:
            parser.error(f"unknown contender {contender!r}; known are {', '.join(torch_networks.CONTENDERS)}")
    place = torch.cuda.get_device_name(args.device) if args.device != "cpu" else "CPU"
    print(f"PyTorch {torch.__version__}, {place}; a training step\n")
    failed = False
    for name in args.networks:
        for dtype in args.dtypes:
            rows = {}
            for contender in contenders:
                rows[contender] = contend(args, name, dtype, contender)
                common = {"network": name, "dtype": dtype, "contender": contender, "device": place}
                keep(args.json, [{**common, **row} for row in rows[contender]])
                ours = not contender.startswith("SpikingJelly")
                failed |= ours and any("failed" in row for row in rows[contender])
            print("\n".join(table(name, dtype, rows)), end="\n\n", flush=True)
    sys.exit(failed)


def keep(path, rows):
    """Appends measurements to a file, if there is one."""
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(row)}\n" for row in rows)


if __name__ == "__main__":
    main()
