"""One layer of LIF in float32 from Python: training and inference, next to a copy of the input and to SpikingJelly.

    python scripts/peers/torch_layer.py

Milliseconds a call, and multiples of the copy. Eager, and as a replayed CUDA graph, which shows what remains without the time of the
host. Needs a GPU and the package `spiking-neurons`; SpikingJelly only for its rows.
"""

import argparse

import torch
from torch_timing import captured, milliseconds

import spiking_neurons as sn


def calls(layer, reset, x, grad):
    """Training and inference."""
    given = x.clone().requires_grad_()

    def train():
        reset()
        given.grad = None
        layer(given).backward(grad)

    def infer():
        reset()
        with torch.no_grad():
            layer(x)

    return train, infer


def as_bytes(layer, x, count):
    """Inference with spikes in bool: unpacked from bits, and converted from numbers."""
    infer = calls(sn.Lif(tau=2.0, step_mode="m", keep_state=False, spike_dtype=torch.bool), lambda: None, x, None)[1]
    convert = calls(lambda x: layer(x).bool(), lambda: None, x, None)[1]
    return {"spikes in bool": milliseconds(infer, count), "converted to bool": milliseconds(convert, count)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["8x2^18", "16x2^24"], help="T x N")
    parser.add_argument("--calls", type=int, default=20)
    args = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name()}, float32; milliseconds (multiples of a copy)")
    for size in args.sizes:
        steps, neurons = (number(part) for part in size.split("x"))
        x = torch.rand(steps, neurons, device="cuda")
        grad = torch.ones_like(x)
        destination = torch.empty_like(x)
        copy = milliseconds(lambda: destination.copy_(x), args.calls)
        del destination
        print(f"T = {steps}, N = {neurons}: copy {copy:.4f}")
        layers = {"spiking_neurons": sn.Lif(tau=2.0, step_mode="m")}
        layers["keep_state=False"] = sn.Lif(tau=2.0, step_mode="m", keep_state=False)
        try:
            from spikingjelly.activation_based import neuron, surrogate

            theirs = neuron.LIFNode(tau=2.0, surrogate_function=surrogate.ATan(), step_mode="m").to(x.device)
            layers["SpikingJelly"] = theirs
        except ImportError as error:
            print(f"SpikingJelly is left out: {error}")
        for name, layer in layers.items():
            train, infer = calls(layer, layer.reset, x, grad)
            figures = {"training": milliseconds(train, args.calls), "inference": milliseconds(infer, args.calls)}
            if name != "SpikingJelly":
                figures["training as a graph"] = milliseconds(captured(train), args.calls)
            if name == "keep_state=False":
                figures |= as_bytes(layer, x, args.calls)
            shown = ", ".join(f"{what} {time:.4f} ({time / copy:.2f})" for what, time in figures.items())
            print(f"  {name:18}{shown}", flush=True)
            del train, infer
            torch.cuda.empty_cache()


def number(text):
    """`2^18`, or a number."""
    base, _, exponent = text.partition("^")
    return int(base) ** int(exponent or 1)


if __name__ == "__main__":
    main()
