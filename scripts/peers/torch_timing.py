"""How the scripts here time calls, and measure energy."""

import ctypes
import time

import torch


def synchronize(device="cuda"):
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()


def milliseconds(run, count):
    """Of one call on a GPU, on average."""
    for _ in range(2):
        run()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(count):
        run()
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / count * 1e3


def measured(run, device, seconds):
    """Milliseconds and joules of one call, over calls that take about that many seconds; joules are None where nothing tells them."""
    run()
    synchronize(device)
    start = time.perf_counter()
    run()
    synchronize(device)
    count = max(3, int(seconds / (time.perf_counter() - start)))
    meter = Energy(device)
    before, start = meter.joules(), time.perf_counter()
    for _ in range(count):
        run()
    synchronize(device)
    elapsed, after = time.perf_counter() - start, meter.joules()
    return elapsed / count * 1e3, None if before is None or after is None else (after - before) / count


def captured(run):
    """The calls as a CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


class Energy:
    """What a GPU has used since its driver was loaded, from NVML: the library of the driver, without a Python package."""

    def __init__(self, device):
        self._library = self._handle = None
        if torch.device(device).type != "cuda":
            return
        try:
            library = ctypes.CDLL("libnvidia-ml.so.1")
        except OSError:
            return
        uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}".encode()
        handle = ctypes.c_void_p()
        if library.nvmlInit_v2() == 0 and library.nvmlDeviceGetHandleByUUID(uuid, ctypes.byref(handle)) == 0:
            self._library, self._handle = library, handle

    def joules(self):
        """None where there is no such counter."""
        if self._library is None:
            return None
        millijoules = ctypes.c_ulonglong()
        failed = self._library.nvmlDeviceGetTotalEnergyConsumption(self._handle, ctypes.byref(millijoules))
        return None if failed else millijoules.value / 1e3
