"""What `distributed.py` trains: networks of size, and images for them."""

import importlib
import math
import sys

import torch
from torch import nn

import spiking_neurons as sn

CLASSES = 10

#: Models of SpikingJelly, each with the file that it is in.
THEIRS = {"sew_resnet18": "sew_resnet", "spiking_resnet18": "spiking_resnet", "spiking_vgg11_bn": "spiking_vgg"}


class Small(nn.Module):
    """Two convolutions; neurons with a learnable parameter, one value a channel."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(16),
            sn.Plif(w=torch.zeros(16, 1, 1), step_mode="m", detach_reset=True),
            nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(32),
            sn.Plif(step_mode="m", detach_reset=True),
        )
        self.readout = nn.Linear(32, CLASSES)

    def forward(self, x_seq):
        for layer in self.layers:
            is_node = isinstance(layer, sn.Node)
            x_seq = layer(x_seq) if is_node else layer(x_seq.flatten(0, 1)).unflatten(0, x_seq.shape[:2])
        return self.readout(x_seq.mean((3, 4)))


def network(name, device):
    """On every process with the same parameters."""
    torch.manual_seed(0)
    if name == "small":
        model = Small()
    else:
        try:
            from spikingjelly.activation_based import functional, neuron, surrogate
        except ImportError as error:
            sys.exit(f"--model {name} is of the package spikingjelly ({error}); --model small needs nothing else")
        module = importlib.import_module(f"spikingjelly.activation_based.model.{THEIRS[name]}")
        options = {"cnf": "ADD"} if name.startswith("sew") else {}
        model = getattr(module, name)(
            spiking_neuron=neuron.LIFNode,
            surrogate_function=surrogate.ATan(),
            detach_reset=True,
            num_classes=CLASSES,
            **options,
        )
        functional.set_step_mode(model, "m")
        report = sn.accelerate(model)
        if report.kept:
            sys.exit(str(report))
    return model.to(device).to(memory_format=torch.channels_last)


def gratings(first, count, steps, side, device, dtype=torch.float32):
    """Images with these numbers, `[T, count, 3, side, side]` in channels_last, the same in each step; their classes."""
    numbers = torch.arange(first, first + count, device=device)
    classes = numbers % CLASSES
    angle = (classes * (math.pi / CLASSES)).view(-1, 1, 1, 1)
    y, x = torch.meshgrid(*[torch.linspace(0, 1, side, device=device)] * 2, indexing="ij")
    # The phase differs from image to image, and a little from colour to colour.
    phase = (numbers * 2.4).view(-1, 1, 1, 1) + torch.arange(3, device=device).view(1, 3, 1, 1)
    images = 0.5 + 0.5 * torch.sin(2 * math.pi * 4 * (x * angle.cos() + y * angle.sin()) + phase)
    images = images.to(dtype).repeat(steps, 1, 1, 1).to(memory_format=torch.channels_last)
    return images.view(steps, count, *images.shape[1:]), classes
