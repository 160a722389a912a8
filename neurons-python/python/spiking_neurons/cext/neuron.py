"""Every name of `spikingjelly.cext.neuron` and its extension `_C_neuron`: same signatures, same results.

Functions call one kernel each and know nothing of autograd; autograd functions and modules are made of them. Unlike in 2020,
`v_reset=None` is a soft reset everywhere, tensors may be on the CPU and in all four formats, half precision is computed in
float32, and wrong shapes, formats, devices and surrogate indices are errors.
"""

from __future__ import annotations

from typing import Any

import torch

from . import _functions, _parametric, _templates
from ._functions import *  # noqa: F403
from ._kernels import surrogate_function_dict
from ._parametric import *  # noqa: F403
from ._templates import *  # noqa: F403


class _Step(torch.autograd.Function):
    """`apply(x, v, v_threshold, v_reset, alpha, detach_reset, grad_surrogate_function_index, *own)` gives `spike, v_next`."""

    with_grad: Any
    gradients: Any

    @classmethod
    def _differentiate(cls, ctx: Any, *args: Any) -> tuple[torch.Tensor, torch.Tensor]:
        spike, v_next, *factors = cls.with_grad(*args)
        ctx.save_for_backward(*factors)
        ctx.own = args[7:]
        return spike, v_next

    @classmethod
    def _gradients(cls, ctx: Any, grad_spike: torch.Tensor, grad_v_next: torch.Tensor) -> tuple[Any, ...]:
        if torch.is_grad_enabled():
            raise RuntimeError(f"{cls.__name__}: surrogate gradients have no second derivative")
        grad_x, grad_v = cls.gradients(grad_spike, grad_v_next, *ctx.saved_tensors, *ctx.own)
        return (grad_x, grad_v, *[None] * (5 + len(ctx.own)))


def _step(name: str, with_grad: Any, gradients: Any) -> Any:
    def forward(ctx: Any, *args: Any) -> tuple[torch.Tensor, torch.Tensor]:
        return cls._differentiate(ctx, *args)

    def backward(ctx: Any, grad_spike: torch.Tensor, grad_v_next: torch.Tensor) -> tuple[Any, ...]:
        return cls._gradients(ctx, grad_spike, grad_v_next)

    body = {"forward": staticmethod(forward), "backward": staticmethod(backward), "__module__": __name__}
    body.update(with_grad=staticmethod(with_grad), gradients=staticmethod(gradients), __doc__=_Step.__doc__)
    cls = type(name, (_Step,), body)
    return cls


LIFStep = _step("LIFStep", _functions.LIF_hard_reset_forward_with_grad, _functions.LIF_backward)
LIFMultiStep = _step("LIFMultiStep", _functions.LIF_hard_reset_fptt_with_grad, _functions.LIF_bptt)
IFStep = _step("IFStep", _functions.IF_hard_reset_forward_with_grad, _functions.IF_backward)
IFMultiStep = _step("IFMultiStep", _functions.IF_hard_reset_fptt_with_grad, _functions.IF_bptt)


class BaseNode(torch.nn.Module):
    """A layer with the state `v`, which starts at `v_reset` (0 for soft reset) and persists until `reset()`.

    In training mode a call is differentiable, in evaluation mode it is not.
    """

    step: Any
    plain: Any
    is_sequence = False

    def __init__(
        self,
        v_threshold: float = 1.0,
        v_reset: float | None = 0.0,
        surrogate_function: str = "ATan",
        alpha: float = 2.0,
        detach_reset: bool = False,
    ) -> None:
        super().__init__()
        if surrogate_function not in surrogate_function_dict:
            known = ", ".join(surrogate_function_dict)
            raise ValueError(f"unknown surrogate function {surrogate_function!r}; known are {known}")
        self.v_threshold, self.v_reset = v_threshold, v_reset
        self.surrogate_function, self.alpha, self.detach_reset = surrogate_function, alpha, detach_reset
        self.grad_surrogate_function_index = surrogate_function_dict[surrogate_function]
        self.reset()

    def _own(self) -> tuple[Any, ...]:
        """Arguments of the neuron itself."""
        return ()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Spikes of the shape of `x`."""
        if not isinstance(self.v, torch.Tensor):
            like = x[0] if self.is_sequence else x
            real = torch.float64 if x.dtype is torch.float64 else torch.float32
            self.v = torch.full_like(like, self.v, dtype=real, requires_grad=False)
        reset = (self.v_threshold, self.v_reset)
        if self.training:
            surrogate = (self.alpha, self.detach_reset, self.grad_surrogate_function_index)
            spike, self.v = self.step.apply(x, self.v, *reset, *surrogate, *self._own())
        else:
            spike, self.v = type(self).plain(x, self.v, *reset, *self._own())
        return spike

    def reset(self) -> None:
        """Back to the state before the first step."""
        self.v: Any = 0.0 if self.v_reset is None else self.v_reset

    def extra_repr(self) -> str:
        return (
            f"v_threshold={self.v_threshold}, v_reset={self.v_reset}, detach_reset={self.detach_reset}, "
            f"surrogate_function={self.surrogate_function}, alpha={self.alpha}"
        )


class LIFNode(BaseNode):
    """Leaky integrate-and-fire, step by step."""

    step, plain = LIFStep, staticmethod(_functions.LIF_hard_reset_forward)

    def __init__(
        self,
        tau: float = 100.0,
        detach_input: bool = False,
        v_threshold: float = 1.0,
        v_reset: float | None = 0.0,
        surrogate_function: str = "ATan",
        alpha: float = 2.0,
        detach_reset: bool = False,
    ) -> None:
        super().__init__(v_threshold, v_reset, surrogate_function, alpha, detach_reset)
        self.tau, self.detach_input = tau, detach_input
        self.reciprocal_tau = 1 / tau

    def _own(self) -> tuple[Any, ...]:
        return self.reciprocal_tau, self.detach_input

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, tau={self.tau}"


class MultiStepLIFNode(LIFNode):
    """Leaky integrate-and-fire over sequences `[T, ...]`."""

    step, plain, is_sequence = LIFMultiStep, staticmethod(_functions.LIF_hard_reset_fptt), True


class IFNode(BaseNode):
    """Integrate-and-fire, step by step."""

    step, plain = IFStep, staticmethod(_functions.IF_hard_reset_forward)


class MultiStepIFNode(IFNode):
    """Integrate-and-fire over sequences `[T, ...]`."""

    step, plain, is_sequence = IFMultiStep, staticmethod(_functions.IF_hard_reset_fptt), True


__all__ = [
    "surrogate_function_dict", "LIFStep", "LIFMultiStep", "IFStep", "IFMultiStep",
    "BaseNode", "LIFNode", "MultiStepLIFNode", "IFNode", "MultiStepIFNode",
    *_functions.__all__, *_parametric.__all__, *_templates.__all__,
]  # fmt: skip
