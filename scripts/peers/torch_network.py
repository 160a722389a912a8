"""A training step of a network of SpikingJelly, with its own nodes and with ours.

    python scripts/peers/torch_network.py --model sew_resnet18 --batch 32 --dtype bfloat16

Random data, SGD, T = 4 steps of 224 x 224 images in channels_last, ATan with a detached reset; `LIFNode`s are replaced by
`spiking_neurons.accelerate`: as it is by default, without keeping final states, and then with saved spikes as bits, with batch
normalisation fused into the neurons, and with both. Prints the time of a step, eager and as a replayed CUDA graph, and the peak memory
that PyTorch allocated.
Needs a GPU and the packages `spiking-neurons` and `spikingjelly`.
"""

import argparse
import contextlib

import torch
from spikingjelly.activation_based import functional, neuron, surrogate
from spikingjelly.activation_based.model import sew_resnet, spiking_resnet, spiking_vgg
from torch_timing import captured, milliseconds

import spiking_neurons as sn

MODELS = {
    "sew_resnet18": lambda **nodes: sew_resnet.sew_resnet18(cnf="ADD", **nodes),
    "spiking_resnet18": spiking_resnet.spiking_resnet18,
    "spiking_vgg11_bn": spiking_vgg.spiking_vgg11_bn,
}


#: What is compared: how nodes are replaced, and the context of the forward pass.
CONTENDERS = {
    "SpikingJelly": (None, contextlib.nullcontext),
    "accelerated": ({}, contextlib.nullcontext),
    "without final states": ({"keep_states": False}, contextlib.nullcontext),
    "and spikes as bits": ({"keep_states": False}, sn.save_spikes_as_bits),
    "and normalisation fused": ({"keep_states": False, "fuse_batch_norm": True}, contextlib.nullcontext),
    "and both": ({"keep_states": False, "fuse_batch_norm": True}, sn.save_spikes_as_bits),
}


def network(name):
    """In multi-step mode, on the GPU."""
    model = MODELS[name](
        spiking_neuron=neuron.LIFNode, surrogate_function=surrogate.ATan(), detach_reset=True
    )
    functional.set_step_mode(model, "m")
    return model.cuda().to(memory_format=torch.channels_last)


def training_step(model, context, args):
    """A function that runs one."""
    dtype = getattr(torch, args.dtype)
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    images = torch.rand(args.t * args.batch, 3, args.side, args.side, device="cuda")
    images = images.to(memory_format=torch.channels_last).view(args.t, args.batch, *images.shape[1:])
    labels = torch.zeros(args.batch, dtype=torch.long, device="cuda")

    def step():
        with context(), torch.autocast("cuda", dtype, enabled=dtype != torch.float32):
            loss = torch.nn.functional.cross_entropy(model(images).float().mean(0), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        functional.reset_net(model)

    return step


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=MODELS, default="sew_resnet18")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--t", type=int, default=4)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--dtype", choices=["float32", "float16", "bfloat16"], default="bfloat16")
    parser.add_argument("--contender", choices=CONTENDERS, help="one of them instead of all")
    parser.add_argument("--steps", type=int, default=10, help="steps that are timed")
    args = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name()}, {args.model}, T = {args.t}, batch {args.batch}, "
          f"{args.side} x {args.side}, {args.dtype}, channels_last")
    for name, (replaced, context) in CONTENDERS.items():
        if args.contender not in (None, name):
            continue
        torch.manual_seed(0)
        model = network(args.model)
        if replaced is not None:
            report = sn.accelerate(model, **replaced)
            if not replaced:
                print(report)
        step = training_step(model, context, args)
        for _ in range(4):
            step()
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        eager = milliseconds(step, args.steps)
        peak = torch.cuda.max_memory_allocated() / 2**20
        line = f"{name:24} eager {eager:8.2f} ms, {peak:6.0f} MiB"
        if replaced is not None:
            line += f"; as a graph {milliseconds(captured(step), args.steps):8.2f} ms"
        print(line, flush=True)
        del model, step
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
