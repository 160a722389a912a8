"""Time and memory of calls on one device."""

import ctypes
import gc
import statistics
import time
from pathlib import Path

import torch


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(run, device: torch.device, repeat: int, calls: int, warm_up: int = 3) -> float:
    """Median time of a call; several are timed together, so that waiting for the last hardly counts."""
    for _ in range(warm_up):  # compiles, tunes, fills the allocator's cache
        run()
    wait(device)
    measured = []
    for _ in range(repeat):
        start = time.perf_counter()
        for _ in range(calls):
            run()
        wait(device)
        measured.append((time.perf_counter() - start) / calls)
    return statistics.median(measured)


def peak_bytes(run, device: torch.device):
    """What `run` returns, and the most memory that was taken at a time meanwhile, beyond what was taken before."""
    free(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        returned = run()
        return returned, torch.cuda.max_memory_allocated(device) - before
    Path("/proc/self/clear_refs").write_text("5")  # the peak becomes what is resident now; see proc(5)
    before = _resident("VmRSS:")
    returned = run()
    return returned, max(0, _resident("VmHWM:") - before)


def free(device: torch.device) -> None:
    """Returns memory that nothing refers to, so that it does not serve the next one measured."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    else:
        ctypes.CDLL(None).malloc_trim(0)


def _resident(line: str) -> int:
    for text in Path("/proc/self/status").read_text().splitlines():
        if text.startswith(line):
            return int(text.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no line {line}")
