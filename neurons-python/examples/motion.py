"""Trains a spiking network to tell how a shape moves, from the events of a simulated event camera.

    python neurons-python/examples/motion.py                  # about two minutes on two cores
    python neurons-python/examples/motion.py --device cuda --amp bfloat16 --samples 20000 --width 64
    python neurons-python/examples/motion.py --picture motion.svg

A triangle, square or bar, brighter or darker than the background, moves to the left, right, top or bottom, grows, shrinks, or turns in
one of two directions: eight classes. As its brightness is arbitrary, a single frame does not give the direction away: the
network has to remember.

The camera works as event cameras do: a pixel reports ON or OFF whenever the logarithm of its brightness has risen or fallen by a
threshold since its last event. Thresholds differ from pixel to pixel, and some events are noise. Events are counted in frames,
`[N, T, 2, side, side]`. The data are made at each start from `--seed`; nothing is downloaded.
"""

import math

import picture
import torch
import training
from torch import nn

import spiking_neurons as sn

CLASSES = ["left", "right", "up", "down", "grows", "shrinks", "turns left", "turns right"]

#: Half-planes whose intersection is the shape: directions of their normals in turns, and distances from the centre.
SHAPES = torch.tensor(
    [
        [[0.25, 0.583, 0.917, 0.917], [0.6, 0.6, 0.6, 0.6]],
        [[0.0, 0.25, 0.5, 0.75], [0.8, 0.8, 0.8, 0.8]],
        [[0.0, 0.25, 0.5, 0.75], [1.1, 0.4, 1.1, 0.4]],
    ]
)

#: Brightness is computed so many times a frame.
SUBSTEPS = 4


class Scene:
    """Shapes that move, one a sample; lengths in units of half the image."""

    def __init__(self, labels, generator):
        count, device = len(labels), labels.device

        def uniform(low, high):
            values = torch.rand(count, generator=generator, dtype=torch.float64) * (high - low) + low
            return values.float().to(device)

        shape = torch.randint(len(SHAPES), (count,), generator=generator)
        self.normals, self.reaches = SHAPES[shape].to(device).unbind(1)
        self.angle, self.size = uniform(0, 1), uniform(0.3, 0.45)
        self.x, self.y = uniform(-0.2, 0.2), uniform(-0.2, 0.2)
        # What no class is about: a slow drift.
        self.vx, self.vy = uniform(-0.1, 0.1), uniform(-0.1, 0.1)
        speed = uniform(0.6, 1.0)
        self.vx += speed * ((labels == 1).float() - (labels == 0).float())
        self.vy += speed * ((labels == 3).float() - (labels == 2).float())
        self.growth = 1.2 * speed * ((labels == 4).float() - (labels == 5).float())
        self.turning = 0.3 * speed * ((labels == 7).float() - (labels == 6).float())
        self.contrast = uniform(0.7, 1.2) * torch.where(uniform(-1, 1) < 0, -1.0, 1.0)

    def log_brightness(self, time, side):
        """Of every pixel at a time in [-0.5, 0.5]; the background is 0."""
        column = lambda values: values.view(-1, 1, 1)
        axis = torch.linspace(-1, 1, side, device=self.x.device)
        x = axis.view(1, 1, -1) - column(self.x + self.vx * time)
        y = axis.view(1, -1, 1) - column(self.y + self.vy * time)
        size = column(self.size * torch.exp(self.growth * time))
        distance = None
        for normal, reach in zip(self.normals.unbind(1), self.reaches.unbind(1)):
            angle = column((normal + self.angle + self.turning * time) * (2 * math.pi))
            beyond = (x * angle.cos() - column(reach) * size) + y * angle.sin()
            distance = beyond if distance is None else torch.maximum(distance, beyond, out=distance)
        # Edges as wide as a pixel.
        return column(self.contrast) * torch.sigmoid(distance * (-2.0 * side))


def camera(scene, steps, side, generator, threshold=0.25):
    """Events of each pixel and frame, ON and OFF: `[N, T, 2, side, side]`, counts."""
    device = scene.x.device
    mismatch = 1 + 0.05 * torch.randn(side, side, generator=generator).to(device)
    level = scene.log_brightness(-0.5, side)
    frames = []
    for step in range(steps):
        frame = torch.zeros(len(level), 2, side, side, device=device)
        for part in range(1, SUBSTEPS + 1):
            change = scene.log_brightness((step + part / SUBSTEPS) / steps - 0.5, side) - level
            events = (change / (threshold * mismatch)).trunc()
            level = level + events * threshold * mismatch
            frame[:, 0] += events.clamp_min(0)
            frame[:, 1] -= events.clamp_max(0)
        noise = torch.rand(frame.shape, generator=generator).to(device) < 0.002
        frames.append((frame + noise).clamp_max(255).to(torch.uint8))
    return torch.stack(frames, 1)


def recordings(count, steps, side, seed, device):
    """Events, and the class of each recording."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(len(CLASSES), (count,), generator=generator).to(device)
    parts = [camera(Scene(part, generator), steps, side, generator) for part in labels.split(500)]
    return torch.cat(parts), labels


class Network(nn.Module):
    """Three convolutions, each followed by neurons that learn a time constant a channel; the mean potential of a read-out."""

    def __init__(self, width):
        super().__init__()
        channels = [2, width, 2 * width, 4 * width]
        self.convolutions = nn.ModuleList(
            nn.Sequential(nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after))
            for before, after in zip(channels, channels[1:])
        )
        self.neurons = nn.ModuleList(
            sn.Plif(w=torch.linspace(-1.5, 1.5, count).view(-1, 1, 1), step_mode="m", detach_reset=True)
            for count in channels[1:]
        )
        self.dense = nn.Linear(channels[-1] * 16, 128)
        self.hidden = sn.Plif(w=torch.linspace(-1.5, 1.5, 128), step_mode="m", detach_reset=True)
        self.readout = nn.Linear(128, len(CLASSES))
        self.integrator = sn.LeakyIntegrator(step_mode="m")

    def forward(self, events):
        """Class scores `[N, 8]` of `[N, T, 2, 32, 32]`."""
        for neurons in (*self.neurons, self.hidden, self.integrator):
            neurons.reset()
        x = events.transpose(0, 1).to(self.dense.weight.dtype)
        for convolution, neurons in zip(self.convolutions, self.neurons):
            # Time is part of the batch for everything but neurons.
            x = neurons(convolution(x.flatten(0, 1)).unflatten(0, x.shape[:2]))
        x = self.hidden(self.dense(x.flatten(2)))
        return self.integrator(self.readout(x)).float().mean(0)


def main():
    parser = training.options(__doc__, epochs=8, steps=12, batch=32)
    parser.add_argument("--samples", type=int, default=2000, help="recordings to train with")
    parser.add_argument("--test-samples", type=int, default=400, help="recordings to test with")
    parser.add_argument("--width", type=int, default=12, help="channels of the first convolution")
    parser.add_argument("--picture", help="an SVG file for recordings, answers and accuracies")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    data = recordings(args.samples, args.steps, 32, args.seed, args.device)
    test = recordings(args.test_samples, args.steps, 32, args.seed + 1, args.device)
    network = Network(args.width).to(args.device)
    accuracies = training.train(network, data, test, args, rate=5e-3, sharpness=4.0)
    if args.picture:
        answers = training.predict(network, test[0][:8], args)
        titles = [
            f"{CLASSES[label]}: {'yes' if label == answer else CLASSES[answer]}"
            for label, answer in zip(test[1][:8].tolist(), answers.tolist())
        ]
        picture.write(args.picture, test[0][:8].cpu(), titles, accuracies)
        print(args.picture)
    return accuracies[-1]


if __name__ == "__main__":
    main()
