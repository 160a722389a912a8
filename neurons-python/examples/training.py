"""What the examples share: their options, and the training of a classifier with a progress bar."""

import argparse
import shutil
import sys
import time

import torch
from torch.nn import functional as F


def options(documentation, *, epochs, steps, batch):
    """A parser with the options of every example."""
    parser = argparse.ArgumentParser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--steps", type=int, default=steps, help="steps of the neurons")
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--amp", choices=["float16", "bfloat16"], help="train in mixed precision")
    parser.add_argument("--compile", action="store_true", help="compile the network with torch.compile")
    return parser


def autocast(args):
    """The precision that was asked for, as a context."""
    dtype = getattr(torch, args.amp or "bfloat16")
    return torch.autocast(torch.device(args.device).type, dtype, enabled=args.amp is not None)


def train(network, training, test, args, *, rate, sharpness=1.0, augment=lambda inputs: inputs):
    """Trains with inputs and labels; the accuracy on those to test with after each epoch.

    The loss is the cross-entropy of the scores times `sharpness`.
    """
    inputs, labels = training
    model = torch.compile(network, fullgraph=True) if args.compile else network
    optimizer = torch.optim.AdamW(network.parameters(), rate)
    updates = -(-len(inputs) // args.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=max(args.epochs * updates, 1))
    scaler = torch.amp.GradScaler(torch.device(args.device).type, enabled=args.amp == "float16")
    progress, accuracies = Progress(args.epochs * updates), []
    for epoch in range(args.epochs):
        network.train()
        for update, batch in enumerate(torch.randperm(len(inputs), device=args.device).split(args.batch)):
            with autocast(args):
                scores = model(augment(inputs[batch]))
            loss = F.cross_entropy(scores * sharpness, labels[batch])
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            schedule.step()
            progress.update(epoch * updates + update + 1, loss, accuracies)
        accuracies.append((predict(network, test[0], args) == test[1]).float().mean().item())
        progress.line((epoch + 1) * updates, loss, accuracies)
    if progress.watched:
        print()
    return accuracies


@torch.no_grad()
def predict(network, inputs, args):
    """The class of each input."""
    network.eval()
    with autocast(args):
        return torch.cat([network(batch).argmax(1) for batch in inputs.split(256)])


class Progress:
    """A bar that is drawn anew several times a second. Where nobody watches, a line for each epoch."""

    def __init__(self, total):
        self.total, self.start, self.drawn = total, time.monotonic(), 0.0
        self.watched = sys.stdout.isatty()

    def update(self, done, loss, accuracies):
        # Reading the loss waits for the GPU.
        if self.watched and time.monotonic() - self.drawn > 0.3:
            self.line(done, loss, accuracies)

    def line(self, done, loss, accuracies):
        self.drawn = time.monotonic()
        accuracy = f"test accuracy {accuracies[-1]:.3f}, " if accuracies else ""
        words = f" loss {loss.item():.3f}, {accuracy}{self.drawn - self.start:.0f} s"
        width = max(1, min(40, shutil.get_terminal_size().columns - len(words) - 3))
        filled = width * done // self.total
        bar = f"[{'#' * filled}{'.' * (width - filled)}]{words}"
        print(f"\r{bar}\x1b[K" if self.watched else bar, end="" if self.watched else "\n", flush=True)
