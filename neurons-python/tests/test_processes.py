"""Threads and processes: PyTorch's number of threads, forked and spawned workers, calls from many threads."""

import concurrent.futures
import multiprocessing
import os
import sys
import threading
import time

import pytest
import torch

import spiking_neurons as sn
from spiking_neurons import functional as F

# Enough neuron-steps for threads.
LARGE = (16, 1 << 13)


def sample(index=0):
    return torch.randn(LARGE, generator=torch.Generator().manual_seed(index)) * 2


def total(index):
    x = sample(index).requires_grad_()
    layer = sn.Plif(step_mode="m")
    layer(x).sum().backward()
    # Of the bits, since PyTorch's own sums of floats depend on the number of threads.
    return x.grad.view(torch.int32).sum().item(), layer.w.grad.item()


def potentials(index):
    with torch.no_grad():
        layer = sn.Plif(step_mode="m")
        spikes = layer(sample(index))
    return int(spikes.sum()), layer.v.view(torch.int32).sum().item()


class Samples(torch.utils.data.Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return potentials(index)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_forked_workers():
    # This process has started its threads by then.
    expected = [potentials(index) for index in range(4)]
    loader = torch.utils.data.DataLoader(
        Samples(), batch_size=None, num_workers=2, multiprocessing_context="fork", timeout=60
    )
    assert [tuple(result) for result in loader] == expected


def test_spawned_process():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply_async(total, (3,)).get(timeout=120) == total(3)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_of_pytorch(threads):
    before = torch.get_num_threads()
    expected = F.multi_step(sn.Neuron("Lif", tau=2.0), sample())
    try:
        torch.set_num_threads(threads)
        assert all(map(torch.equal, F.multi_step(sn.Neuron("Lif", tau=2.0), sample()), expected))
        if sys.platform == "linux":
            names = [open(f"/proc/self/task/{task}/comm").read() for task in os.listdir("/proc/self/task")]
            assert sum(name.startswith("neurons-") for name in names) >= threads
    finally:
        torch.set_num_threads(before)


def test_calls_from_many_threads():
    expected = [total(index) for index in range(8)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(total, range(8))) == expected


def test_the_interpreter_runs_meanwhile():
    x = torch.randn(64, 1 << 16)
    ticks, stop = 0, threading.Event()

    def tick():
        nonlocal ticks
        while not stop.is_set():
            ticks += 1
            time.sleep(0)

    thread = threading.Thread(target=tick)
    call = F.calls(sn.Neuron("Lif", tau=2.0), x.dtype, x.device, True)
    arrays = (x, torch.zeros(1 << 16))
    call.infer(arrays)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000.0)
    try:
        thread.start()
        before = ticks
        call.infer(arrays)
        assert ticks > before, "the other thread did not run during the call"
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        thread.join()
