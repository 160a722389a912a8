"""Measures one contender: `one.py NAME OPTIONS`, called by `__main__.py`. Prints a line of JSON."""

import json
import sys
from types import SimpleNamespace

import torch

import agree
import contenders
import inputs
import measure

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
CHECK_N = 1 << 14
"""Neurons whose results are compared in full."""
EXACT_STEPS = 16
"""So many steps of the inputs are exact in float32."""


def calls(contender: contenders.Contender, x: torch.Tensor, grad: torch.Tensor):
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


def measured(name: str, options: SimpleNamespace) -> dict:
    device, dtype = torch.device(options.device), DTYPES[options.dtype]
    torch.set_num_threads(options.threads)
    sequences = [make(options.t, options.n, dtype, device) for make in (inputs.x_seq, inputs.grad_spike_seq)]
    copy = torch.empty_like(sequences[0])
    copy_s = measure.seconds(lambda: copy.copy_(sequences[0]), device, options.repeat, options.calls)
    del copy
    contender = getattr(contenders, name)(device)
    inference, train = calls(contender, *sequences)
    row = {"name": contender.name, "copy_s": copy_s}
    row["inference_s"] = measure.seconds(inference, device, options.repeat, options.calls)
    row["train_s"] = measure.seconds(train, device, options.repeat, options.calls)
    sequence = sequences[0].nbytes
    row["inference_extra_bytes"] = max(0, measure.peak_bytes(inference, device)[1] - sequence)
    results, peak = measure.peak_bytes(train, device)
    row["train_extra_bytes"] = max(0, peak - 2 * sequence)
    row["sums"] = agree.sums(*results)
    row["implementation"] = contender.implementation
    del results
    # After the measurement: what compiles or tunes itself does so for the shape that it is called with first.
    small = [make(options.t, CHECK_N, dtype, device) for make in (inputs.x_seq, inputs.grad_spike_seq)]
    spike_seq, grad_x_seq = calls(contender, *small)[1]()
    half_arithmetic = dtype != torch.float32 and contender.state(small[0]).dtype == dtype
    tolerances = (agree.HALF_ARITHMETIC if half_arithmetic else agree.TOLERANCES)[dtype]
    row["check"] = agree.in_full(spike_seq, grad_x_seq, inputs.expected(*small), tolerances)
    row["exact"] = not half_arithmetic and options.t <= EXACT_STEPS
    return row


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1], SimpleNamespace(**json.loads(sys.argv[2])))))
