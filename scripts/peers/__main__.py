"""Measures LIF neurons of this project next to those of other software, on one device in one run.

    python scripts/peers --device cuda --ours target/release/examples/peer

Inference is a forward pass without gradient; training a forward pass and the gradient of x_seq from a given one of
the spikes. Times are medians of calls in the host's time, outputs allocated in each call, compilation not counted;
a copy of x_seq in the same process is next to them.
Memory is the most that a call takes at a time beyond x_seq, v, spike_seq, grad_spike_seq and grad_x_seq.

Every contender's spikes and gradients are compared with float64 at a small N, and by sums with the first one's at
the N that is measured. A disagreement makes the exit status 1. A contender that cannot run is in the table, with the reason.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

import agree
import contenders
import inputs
import one


def number(text: str) -> int:
    """`16777216`, `2^24`, `64*1024`."""
    if not re.fullmatch(r"\d+(\^\d+)?(\*\d+(\^\d+)?)*", text):
        raise argparse.ArgumentTypeError(f"a number like 1048576, 2^20 or 64*1024 expected, not {text!r}")
    product = 1
    for factor in text.split("*"):
        base, _, exponent = factor.partition("^")
        product *= int(base) ** int(exponent or 1)
    if not 1 <= product <= 1 << 31:
        raise argparse.ArgumentTypeError(f"{text} is {product}; 1 to 2^31 expected")
    return product


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--t", type=number, default=16, help="steps (default 16)")
    parser.add_argument("--n", type=number, help="neurons: 1048576, 2^24, ... (default 2^24; 2^20 on the CPU)")
    parser.add_argument("--dtype", choices=one.DTYPES, default="f32", help="of inputs and spikes (default f32)")
    parser.add_argument("--ours", type=Path, help="the built example `peer` of this project")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="on the CPU (default all)")
    parser.add_argument("--repeat", type=int, default=15, help="measurements, of which the median counts")
    parser.add_argument("--calls", type=int, help="calls a measurement (default 5; 1 on the CPU)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    args = parser.parse_args()
    args.n = args.n or (1 << 24 if args.device == "cuda" else 1 << 20)
    args.calls = args.calls or (5 if args.device == "cuda" else 1)
    if args.t * args.n > 1 << 31:
        parser.error(f"T x N is {args.t} x {args.n}; at most 2^31 expected")
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: PyTorch finds no CUDA device")
    return args


def measured_in(folder: Path, args, n: int, repeat: int) -> dict:
    """What our binary measures and, in `folder`, writes."""
    command = [args.ours, "--device", args.device, "--dtype", args.dtype, "--t", args.t, "--n", n]
    command += ["--repeat", repeat, "--calls", args.calls, *(["--write", folder] if folder else [])]
    environment = os.environ | {"RAYON_NUM_THREADS": str(args.threads)}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or f"exit status {done.returncode}")
    return json.loads(done.stdout)


def ours(args, wanted) -> dict:
    row = {"name": "ours", "implementation": args.device} | measured_in(None, args, args.n, args.repeat)
    with tempfile.TemporaryDirectory() as folder:
        measured_in(folder, args, one.CHECK_N, 1)
        sequences = [
            torch.frombuffer(bytearray((Path(folder) / name).read_bytes()), dtype=torch.float32).reshape(args.t, -1)
            for name in ("spike_seq.f32", "grad_x_seq.f32")
        ]
    row["check"] = agree.in_full(*sequences, wanted, agree.TOLERANCES[one.DTYPES[args.dtype]])
    row["exact"] = args.t <= one.EXACT_STEPS
    return row


def theirs(name: str, args) -> dict:
    """In a process of its own, so that none finds memory that another one left to the allocator."""
    options = {key: getattr(args, key) for key in ("device", "t", "n", "dtype", "threads", "repeat", "calls")}
    command = [sys.executable, Path(__file__).with_name("one.py"), name, json.dumps(options)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        print(done.stderr, file=sys.stderr)
        raise RuntimeError(lines[-1])
    return json.loads(done.stdout.splitlines()[-1])


def attempt(name: str, run) -> dict:
    """What `run` measured, or why it could not."""
    try:
        return run()
    except Exception as error:  # any: the others are measured nevertheless
        return {"name": name, "failed": str(error).strip() or type(error).__name__}


def run(args) -> dict:
    dtype = one.DTYPES[args.dtype]
    rows = []
    if args.ours:
        small = [make(args.t, one.CHECK_N, dtype, "cpu") for make in (inputs.x_seq, inputs.grad_spike_seq)]
        rows.append(attempt("ours", lambda: ours(args, inputs.expected(*small))))
    for kind in contenders.kinds(dtype):
        rows.append(attempt(kind.name, lambda: theirs(kind.__name__, args)))
    complete = [row for row in rows if "failed" not in row]
    first = next((row for row in complete if row["exact"]), complete[0] if complete else None)
    for row in complete:
        exact = row["exact"] and first["exact"]
        row["agrees_at_n"] = agree.by_sums(first["sums"], row["sums"], exact, agree.SUMS[dtype])
    cuda = args.device == "cuda"
    return {
        "device": torch.cuda.get_device_name() if cuda else f"CPU, {args.threads} threads",
        "torch": torch.__version__,
        "t": args.t,
        "n": args.n,
        "dtype": args.dtype,
        "rows": rows,
        "agree": all(row["check"]["agrees"] and row["agrees_at_n"] for row in complete),
    }


def table(report: dict) -> str:
    """One line a contender; ratios are times divided by ours, or by the first one's without ours."""
    lines = [f"{report['device']}, T = {report['t']}, N = {report['n']}, {report['dtype']}, torch {report['torch']}"]
    head = ["", "", "copy ms", "inference ms", "train ms", "inference x", "train x"]
    head += ["inference MiB", "train MiB", "agrees"]
    lines += [""]
    lines += ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    base = next((row for row in report["rows"] if "failed" not in row), None)
    for row in report["rows"]:
        if "failed" in row:
            cells = [row["name"], row["failed"]] + [""] * (len(head) - 2)
        else:
            check, at_n = row["check"], row["agrees_at_n"]
            verdict = "yes" if check["agrees"] and at_n else "NO: " + json.dumps(check | {"at_n": at_n})
            cells = [row["name"], row["implementation"]]
            cells += [f"{row[key] * 1e3:.3f}" for key in ("copy_s", "inference_s", "train_s")]
            cells += [f"{row[key] / base[key]:.2f}" for key in ("inference_s", "train_s")]
            cells += [f"{row[key] / 2**20:.1f}" for key in ("inference_extra_bytes", "train_extra_bytes")]
            cells.append(verdict)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> int:
    args = arguments()
    report = run(args)
    print(json.dumps(report, indent=1) if args.json else table(report))
    ours_failed = args.ours and "failed" in report["rows"][0]
    if not report["agree"]:
        print("results disagree", file=sys.stderr)
    return 0 if report["agree"] and not ours_failed else 1


if __name__ == "__main__":
    sys.exit(main())
