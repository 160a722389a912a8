"""Trains a spiking network on handwritten digits.

    python neurons-python/examples/digits.py                  # about a minute on two cores
    python neurons-python/examples/digits.py --device cuda --amp bfloat16 --compile

The image is a constant input current. After a few steps the class whose read-out had the highest mean potential is the answer.
The data are those of the example of candle, see `neurons-candle/data/README.md`.
"""

import argparse
import pathlib
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

import spiking_neurons as sn

DATA = pathlib.Path(__file__).parents[2] / "neurons-candle" / "data" / "optdigits.csv"
TRAINING = 1438


class Network(nn.Module):
    """Two convolutions and two dense layers, with spiking neurons in between."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32))
        self.middle = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64))
        self.dense = nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 128))
        self.readout = nn.Linear(128, 10)
        self.neurons = nn.ModuleList(
            [
                sn.Lif(tau=2.0, step_mode="m", detach_reset=True),
                sn.Plif(w=torch.zeros(64, 1, 1), step_mode="m", detach_reset=True),
                sn.Lif(tau=2.0, step_mode="m", detach_reset=True),
                sn.LeakyIntegrator(step_mode="m"),
            ]
        )

    def forward(self, images, steps):
        """Class scores `[B, 10]` of images `[B, 1, 8, 8]`."""
        for layer in self.neurons:
            layer.reset()
        # The first convolution sees the same in every step.
        x = self.stem(images).expand(steps, -1, -1, -1, -1)
        x = self.neurons[0](x)
        for layer, neurons in zip((self.middle, self.dense, self.readout), self.neurons[1:]):
            # Time is part of the batch for everything but neurons.
            x = neurons(layer(x.flatten(0, 1)).unflatten(0, (steps, -1)))
        return x.float().mean(0)


def digits(device):
    """Images and labels, to train with and to test with."""
    if not DATA.exists():
        sys.exit(f"{DATA} is missing: run this from a checkout of the repository")
    rows = torch.tensor(
        [[float(value) for value in line.split(",")] for line in DATA.read_text().split()], device=device
    )
    images, labels = rows[:, :64].reshape(-1, 1, 8, 8) / 16, rows[:, 64].long()
    return (images[:TRAINING], labels[:TRAINING]), (images[TRAINING:], labels[TRAINING:])


def shifted(images):
    """Each by up to a pixel in both directions."""
    theta = torch.eye(2, 3, device=images.device).repeat(len(images), 1, 1)
    theta[:, :, 2] = (torch.randint(-1, 2, (len(images), 2), device=images.device)) / 4
    return F.grid_sample(
        images, F.affine_grid(theta, images.shape, align_corners=False), "nearest", align_corners=False
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--amp", choices=["float16", "bfloat16"], help="train in mixed precision")
    parser.add_argument("--compile", action="store_true", help="compile the network with torch.compile")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    (images, labels), (test_images, test_labels) = digits(args.device)
    network = Network().to(args.device)
    model = torch.compile(network, fullgraph=True) if args.compile else network
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3)
    updates = args.epochs * -(-len(images) // args.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=updates)
    autocast = torch.autocast(
        torch.device(args.device).type, getattr(torch, args.amp or "bfloat16"), enabled=args.amp is not None
    )
    scaler = torch.amp.GradScaler(torch.device(args.device).type, enabled=args.amp == "float16")
    start = time.monotonic()
    for epoch in range(args.epochs):
        network.train()
        for batch in torch.randperm(len(images), device=args.device).split(args.batch):
            with autocast:
                scores = model(shifted(images[batch]), args.steps)
            loss = F.cross_entropy(scores * 4, labels[batch])
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            schedule.step()
        network.eval()
        with torch.no_grad(), autocast:
            accuracy = (network(test_images, args.steps).argmax(1) == test_labels).float().mean().item()
        bar = "#" * (epoch + 1) + "." * (args.epochs - epoch - 1)
        print(
            f"\r[{bar}] loss {loss.item():.3f}, test accuracy {accuracy:.3f}, {time.monotonic() - start:.0f} s",
            end="",
            flush=True,
        )
    print()
    return accuracy


if __name__ == "__main__":
    main()
