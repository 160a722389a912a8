"""Measures LIF neurons of this project next to those of other software, on one device in one run.

    python scripts/peers --device cuda --ours target/release/examples/peer

Inference is a forward pass without gradient; training a forward pass and the gradient of x_seq from a given one of
the spikes. Times are medians of calls in the host's time, outputs allocated in each call, compilation not counted.
Memory is the most that a call takes at a time beyond x_seq, v, spike_seq, grad_spike_seq and grad_x_seq.

Every contender's spikes and gradients are compared with float64 at a small N, and by sums with ours at the N that is
measured. A disagreement makes the exit status 1. A contender that cannot run is in the table, with the reason.
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
import measure

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
CHECK_N = 1 << 14
EXACT_STEPS = 16


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
    parser.add_argument("--dtype", choices=DTYPES, default="f32", help="of inputs and spikes (default f32)")
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


def ours(args, wanted, dtype) -> dict:
    row = {"name": "ours", "implementation": args.device}
    row |= measured_in(None, args, args.n, args.repeat)
    with tempfile.TemporaryDirectory() as folder:
        measured_in(folder, args, CHECK_N, 1)
        sequences = [
            torch.frombuffer(bytearray((Path(folder) / name).read_bytes()), dtype=torch.float32).reshape(args.t, -1)
            for name in ("spike_seq.f32", "grad_x_seq.f32")
        ]
    row["check"] = agree.in_full(*sequences, wanted, agree.TOLERANCES[dtype])
    return row


def calls(contender, x, grad):
    """Inference and training as functions of nothing."""
    v = contender.state(x)
    leaf = x.detach().requires_grad_(True)

    def inference():
        with torch.no_grad():
            return contender.forward(x, v)

    def train():
        spike_seq = contender.forward(leaf, v)
        (grad_x_seq,) = torch.autograd.grad(spike_seq, leaf, grad)
        return spike_seq.detach(), grad_x_seq

    return inference, train


def theirs(kind, args, sequences, small, wanted, dtype) -> dict:
    device = torch.device(args.device)
    contender = kind(device)
    inference, train = calls(contender, *sequences)
    row = {"name": contender.name}
    row["inference_s"] = measure.seconds(inference, device, args.repeat, args.calls)
    row["train_s"] = measure.seconds(train, device, args.repeat, args.calls)
    sequence = sequences[0].nbytes
    row["inference_extra_bytes"] = max(0, measure.peak_bytes(inference, device)[1] - sequence)
    results, peak = measure.peak_bytes(train, device)
    row["train_extra_bytes"] = max(0, peak - 2 * sequence)
    row["sums"] = agree.sums(*results)
    row["implementation"] = contender.implementation
    del results
    # After the measurement: what compiles or tunes itself does so for the shape that it is called with first.
    spike_seq, grad_x_seq = calls(contender, *small)[1]()
    half_arithmetic = dtype != torch.float32 and contender.state(small[0]).dtype == dtype
    row["check"] = agree.in_full(
        spike_seq, grad_x_seq, wanted, (agree.HALF_ARITHMETIC if half_arithmetic else agree.TOLERANCES)[dtype]
    )
    row["exact"] = not half_arithmetic and args.t <= EXACT_STEPS
    return row


def attempt(name, run) -> dict:
    """What `run` measured, or why it could not."""
    try:
        return run()
    except Exception as error:  # any: the others are measured nevertheless
        print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        return {"name": name, "failed": f"{type(error).__name__}: {reason}"}


def run(args) -> dict:
    device, dtype = torch.device(args.device), DTYPES[args.dtype]
    torch.set_num_threads(args.threads)
    small = [make(args.t, CHECK_N, dtype, device) for make in (inputs.x_seq, inputs.grad_spike_seq)]
    wanted = inputs.expected(*small)
    rows = []
    if args.ours:
        rows.append(attempt("ours", lambda: ours(args, wanted, dtype)))
    sequences = [make(args.t, args.n, dtype, device) for make in (inputs.x_seq, inputs.grad_spike_seq)]
    copy = torch.empty_like(sequences[0])
    copy_s = measure.seconds(lambda: copy.copy_(sequences[0]), device, args.repeat, args.calls)
    del copy
    for kind in contenders.ALL:
        torch._dynamo.reset()
        measure.free(device)
        rows.append(attempt(kind.name, lambda: theirs(kind, args, sequences, small, wanted, dtype)))
    complete = [row for row in rows if "sums" in row]
    for row in complete[1:]:
        tolerance = agree.SUMS[dtype]
        row["agrees_at_n"] = agree.by_sums(complete[0]["sums"], row["sums"], row["exact"], tolerance)
    cuda = args.device == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if cuda else f"CPU, {args.threads} threads",
        "torch": torch.__version__,
        "t": args.t,
        "n": args.n,
        "dtype": args.dtype,
        "copy_s": copy_s,
        "rows": rows,
        "agree": all(row["check"]["agrees"] and row.get("agrees_at_n", True) for row in complete),
    }


def table(report: dict) -> str:
    """One line a contender; ratios are times divided by ours, or by the first one's without ours."""
    lines = [f"{report['device']}, T = {report['t']}, N = {report['n']}, {report['dtype']}, torch {report['torch']}"]
    lines += [f"copy of x_seq: {report['copy_s'] * 1e3:.3f} ms", ""]
    head = ["", "", "inference ms", "train ms", "inference x", "train x", "inference MiB", "train MiB", "agrees"]
    lines += ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    base = next((row for row in report["rows"] if "failed" not in row), None)
    for row in report["rows"]:
        if "failed" in row:
            cells = [row["name"], row["failed"]] + [""] * 7
        else:
            check, at_n = row["check"], row.get("agrees_at_n", True)
            verdict = "yes" if check["agrees"] and at_n else "NO: " + json.dumps(check | {"at_n": at_n})
            cells = [row["name"], row["implementation"]]
            cells += [f"{row[key] * 1e3:.3f}" for key in ("inference_s", "train_s")]
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
