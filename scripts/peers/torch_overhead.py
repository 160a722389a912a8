"""Host time of a call from Python, as a multiple of that of `torch.mul` in the same process, and next to SpikingJelly's.

    python scripts/peers/torch_overhead.py --device cuda

One layer of LIF, small enough that the host is the limit. Each figure is the least time a call over many batches of calls; on a
GPU calls are queued and not waited for within a batch. Needs the package `spiking-neurons`; SpikingJelly only for its rows.
"""

import argparse
import statistics
import time

import torch

import spiking_neurons as sn


def microseconds(call, device, batches, calls):
    """Of one call: the least, and the median over batches."""
    for _ in range(20):
        call()
    times = []
    for _ in range(batches):
        if device.type == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(calls):
            call()
        times.append((time.perf_counter() - start) / calls * 1e6)
    return min(times), statistics.median(times)


def contenders(x, grad):
    """Rows by name: inference, training."""

    def both(layer, reset):
        given = x.clone().requires_grad_()

        def infer():
            reset()
            with torch.no_grad():
                layer(x)

        def train():
            reset()
            layer(given).backward(grad)
            given.grad = None

        return infer, train

    factor = torch.full_like(x, 0.5)
    yield "torch.mul", *both(lambda x: torch.mul(x, factor), lambda: None)
    layer = sn.Lif(tau=2.0, step_mode="m")
    yield "spiking_neurons.Lif", *both(layer, layer.reset)
    v = torch.zeros_like(x[0])
    neuron = sn.Neuron("Lif", tau=2.0)
    yield "functional.multi_step", *both(lambda x: sn.functional.multi_step(neuron, x, [v])[0], lambda: None)
    try:
        from spikingjelly.activation_based import neuron as theirs, surrogate
    except ImportError as error:
        print(f"SpikingJelly is left out: {error}")
        return
    node = theirs.LIFNode(tau=2.0, surrogate_function=surrogate.ATan(), step_mode="m").to(x.device)
    yield "SpikingJelly LIFNode", *both(node, node.reset)
    swapped = theirs.LIFNode(tau=2.0, surrogate_function=surrogate.ATan(), step_mode="m").to(x.device)
    sn.accelerate(swapped)
    yield "the same, accelerated", *both(swapped, swapped.reset)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--t", type=int, default=4)
    parser.add_argument("--n", type=int, default=1024)
    parser.add_argument("--batches", type=int, default=50)
    parser.add_argument("--calls", type=int, default=100)
    args = parser.parse_args()
    device = torch.device(args.device)
    x = torch.rand(args.t, args.n, device=device)
    grad = torch.ones_like(x)
    print(f"torch {torch.__version__}, {device}, T = {args.t}, N = {args.n}; microseconds a call, least (median)")
    print(f"{'':24}{'inference':>20}{'to mul':>8}{'training':>20}{'to mul':>8}")
    base = None
    for name, infer, train in contenders(x, grad):
        figures = [microseconds(call, device, args.batches, args.calls) for call in (infer, train)]
        base = base or figures
        line = "".join(
            f"{f'{least:.1f} ({median:.1f})':>20}{least / reference[0]:8.2f}"
            for (least, median), reference in zip(figures, base)
        )
        print(f"{name:24}{line}")


if __name__ == "__main__":
    main()
