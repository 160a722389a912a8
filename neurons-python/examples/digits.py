"""Trains a spiking network on handwritten digits.

    python neurons-python/examples/digits.py                  # about a minute on two cores
    python neurons-python/examples/digits.py --device cuda --amp bfloat16 --compile

The image is a constant input current. After a few steps the class whose read-out had the highest mean potential is the answer.
The data are those of the example of candle, see `neurons-candle/data/README.md`.
"""

import pathlib
import sys

import torch
import training
from torch import nn
from torch.nn import functional as F

import spiking_neurons as sn

DATA = pathlib.Path(__file__).parents[2] / "neurons-candle" / "data" / "optdigits.csv"
TRAINING = 1438


class Network(nn.Module):
    """Two convolutions and two dense layers, with spiking neurons in between."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps
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

    def forward(self, images):
        """Class scores `[B, 10]` of images `[B, 1, 8, 8]`."""
        for layer in self.neurons:
            layer.reset()
        # The first convolution sees the same in every step.
        x = self.stem(images).expand(self.steps, -1, -1, -1, -1)
        x = self.neurons[0](x)
        for layer, neurons in zip((self.middle, self.dense, self.readout), self.neurons[1:]):
            # Time is part of the batch for everything but neurons.
            x = neurons(layer(x.flatten(0, 1)).unflatten(0, (self.steps, -1)))
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
    args = training.options(__doc__, epochs=20, steps=4, batch=64).parse_args()
    torch.manual_seed(args.seed)
    data = digits(args.device)
    network = Network(args.steps).to(args.device)
    return training.train(network, *data, args, rate=3e-3, sharpness=4.0, augment=shifted)[-1]


if __name__ == "__main__":
    main()
