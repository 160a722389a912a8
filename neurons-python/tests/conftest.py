"""What the tests share: devices, neurons, inputs that make them fire."""

import pytest
import torch

import spiking_neurons as sn

SPECS = sn.SPECS


def _devices():
    reason = "torch.cuda.is_available() is false: no GPU, or a PyTorch without CUDA"
    skip = pytest.mark.skipif(not torch.cuda.is_available(), reason=reason)
    return ["cpu", pytest.param("cuda", marks=[pytest.mark.gpu, skip])]


@pytest.fixture(params=_devices())
def device(request):
    """Each device there is."""
    return torch.device(request.param)


@pytest.fixture
def one_thread():
    """For tensors as small as those of examples, threads wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def variants():
    """Every neuron with each of its resets and each value of its flags, as keyword arguments of `Neuron`."""
    return list(_variants())


def _variants():
    for name, spec in SPECS.items():
        flags = [flag["name"] for flag in spec["flags"]]
        for reset in spec["resets"]:
            for value in (False, True) if flags else (None,):
                yield pytest.param(
                    name, {"reset": reset, **{flag: value for flag in flags}}, id=f"{name}-{reset}-{value}"
                )


#: Inputs that let each neuron fire now and then, as mean and spread.
DRIVE = {
    "RefractoryLif": (500.0, 3000.0), "AdEx": (20000.0, 30000.0), "Izhikevich": (200.0, 400.0), "Alif": (4.0, 8.0),
    "Lif": (40.0, 60.0), "RestingLif": (20.0, 60.0), "Eif": (0.3, 0.5), "AdaptiveQif": (0.3, 0.5),
}  # fmt: skip


def drive(name, shape, dtype=torch.float32, device="cpu", seed=0):
    """Inputs for a neuron, one tensor for each."""
    generator = torch.Generator().manual_seed(seed)
    mean, spread = DRIVE.get(name, (0.6, 1.5))
    make = lambda: (
        (torch.randn(shape, generator=generator, dtype=torch.float64) * spread + mean).clamp(-6e4, 6e4).to(dtype)
    )
    return [make().to(device) for _ in SPECS[name]["inputs"]]


def parameters(name, dtype=torch.float32, device="cpu", requires_grad=False):
    """Tensors for the learnable parameters of a neuron."""
    made = {}
    for param in SPECS[name]["params"]:
        if param["array"]:
            made[param["name"]] = torch.full(
                (1,), param["default"], dtype=dtype, device=device, requires_grad=requires_grad
            )
    return made
