from typing import Any, Sequence

from torch import Tensor

__version__: str

def zoo() -> list[dict[str, Any]]:
    """Specifications of all neurons."""

def surrogates() -> list[dict[str, Any]]:
    """All surrogates: name, default values of parameters, primitive and gradient."""

def is_dense(tensor: Tensor, is_sequence: bool) -> bool:
    """Whether a tensor can be used as it is: elements without gaps in any order of dimensions, time outermost."""

def host_tensor(shape: Sequence[int], stride: Sequence[int], dtype: str) -> Any:
    """A tensor on the CPU with contents of any kind, in memory that is kept when it is freed, as a DLPack capsule."""

def release_memory() -> None:
    """Returns the kept memory of freed tensors on the CPU, at most 1 GiB, to the system."""

def pack_bits(spikes: Tensor, words: Tensor) -> None:
    """Packs spikes, a tensor without gaps, into `ceil(N / 32)` words of int32: every value other than 0 is a spike."""

def unpack_bits(words: Tensor, spikes: Tensor) -> None:
    """Unpacks bits into spikes, 0 and 1."""

class Declaration:
    """A neuron that was declared at run time."""

    @staticmethod
    def parse(text: str) -> tuple[Declaration | None, list[dict[str, Any]], str]: ...
    @property
    def spec(self) -> dict[str, Any]: ...
    def cuda_source(self, template: str | None = None, reset: str | None = None) -> str:
        """The CUDA C++ source of all kernels, or of that of one template and reset mode."""

class SurrogateDeclaration:
    """A surrogate that was declared at run time."""

    @staticmethod
    def parse(text: str) -> tuple[SurrogateDeclaration | None, list[dict[str, Any]], str]: ...
    @property
    def description(self) -> dict[str, Any]:
        """As those of `surrogates()`, with documentation and declaration."""

def redeclared(name: str, changes: str, base: str) -> str:
    """The declaration `base` under another name and with changes."""

def latex(declaration: str) -> tuple[str, str]:
    """Equations and derivatives, as the inside of `aligned`."""

class Initial:
    """How the initial states of a neuron follow from its parameters."""

    def __new__(cls, declaration: str) -> Initial: ...
    def programs(
        self, model: Model
    ) -> list[tuple[list[tuple[str, list[int], float]], int, list[tuple[int, int]]] | None]:
        """For each state the steps of a program, operands first, the place of its value, and those of derivatives by the places of
        learnable parameters; None where it is a number.
        """

class Model:
    """A neuron with its parameters, flags and reset mode."""

    def __new__(cls, neuron: str | Declaration, parameters: dict[str, float | bool], reset: str | None) -> Model: ...
    def initial_state(self) -> list[float]: ...
    def check_affine(self) -> None: ...
    def keep(self, format: str, steps: int, neurons: int) -> str: ...
    def plan(
        self,
        template: str,
        format: str,
        device: int,
        *,
        surrogate: str | SurrogateDeclaration,
        parameters: list[float],
        detach_reset: bool,
        relaxed: bool = False,
        scan: bool = False,
        sequence: bool = True,
    ) -> Plan: ...

class Plan:
    """One template of a neuron, prepared for data of one format on one device."""

    @property
    def inputs(self) -> list[tuple[str, int]]: ...
    @property
    def outputs(self) -> list[tuple[str, int]]: ...
    def __call__(self, *tensors: Tensor | None) -> None: ...

def channel_moments(
    x: Any, mean: Any, invstd: Any, running_mean: Any, running_var: Any, batches: Any, momentum: float, eps: float
) -> None:
    """Mean and `1 / sqrt(var + eps)` of each channel of a tensor `[.., C]` on a GPU. Builds without CUDA do not have it."""

def normalisation_gradient(
    grad: Any, x: Any, mean: Any, invstd: Any, weight: Any, grad_weight: Any, grad_bias: Any
) -> None:
    """Replaces the gradient of `weight (x - mean) invstd + bias` by that of `x`, on a GPU. Builds without CUDA do not have it."""

def max_pool(
    x: Any, y: Any, places: Any, window: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
) -> None:
    """The maxima of windows of images on a GPU, and their places in these. Builds without CUDA do not have it."""

def max_pool_gradient(
    x: Any, y: Any, places: Any, window: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
) -> None:
    """Writes the gradient of the images to `x`. Builds without CUDA do not have it."""
