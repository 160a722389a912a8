"""`ParametricLIF_*` of the extension: LIF whose `1 / tau` is learned, here by kernels that learn `w` with `1 / tau = sigmoid(w)`."""

from __future__ import annotations

import torch

from ._kernels import arrays_of, backward, forward_with_grad, call_of, neuron_of


def _weight(reciprocal_tau: torch.Tensor | float, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """`w`, and its derivative with respect to `1 / tau`, inverted."""
    real = torch.float64 if like.dtype is torch.float64 else torch.float32
    reciprocal = torch.as_tensor(reciprocal_tau, dtype=torch.float64, device=like.device).detach().reshape(-1)
    if not ((reciprocal > 0) & (reciprocal < 1)).all():
        raise ValueError("reciprocal_tau has to be between 0 and 1")
    return torch.logit(reciprocal).to(real), (reciprocal * (1 - reciprocal)).to(real)


def _forward(x, v, v_threshold, v_reset, reciprocal_tau, detach_input, sequence):
    neuron = neuron_of("Plif", v_threshold, v_reset, (("decay_input", not detach_input),))
    call = call_of(neuron, x, sequence)
    return call.infer(arrays_of(call, x, (v,), (_weight(reciprocal_tau, x)[0],)))


def _forward_with_grad(x, v, v_threshold, v_reset, alpha, detach_reset, index, reciprocal_tau, detach_input, sequence):
    values = {"decay_input": not detach_input}
    w, slope = _weight(reciprocal_tau, x)
    *rest, grad_h_to_w = forward_with_grad(
        "Plif", x, v, v_threshold, v_reset, alpha, detach_reset, index, sequence, values, (w,)
    )
    return (*rest, grad_h_to_w / slope)


def _backward(
    grad_spike, grad_v_next, grad_s_to_h, grad_v_to_h, grad_h_to_rtau, reciprocal_tau, detach_input, sequence
):
    w, slope = _weight(reciprocal_tau, grad_spike)
    factors = (grad_s_to_h, grad_v_to_h, grad_h_to_rtau * slope)
    values = {"decay_input": not detach_input}
    grad_x, grad_v, grad_w = backward("Plif", grad_spike, grad_v_next, factors, sequence, values, (w,))
    return grad_x, grad_v, grad_w / slope


def ParametricLIF_hard_reset_forward(x, v, v_threshold, v_reset, reciprocal_tau, detach_input):
    """`spike, v_next` of one step."""
    return _forward(x, v, v_threshold, v_reset, reciprocal_tau, detach_input, False)


def ParametricLIF_hard_reset_fptt(x_seq, v, v_threshold, v_reset, reciprocal_tau, detach_input):
    """`spike_seq, v_next` of a sequence."""
    return _forward(x_seq, v, v_threshold, v_reset, reciprocal_tau, detach_input, True)


def ParametricLIF_soft_reset_forward(x, v, v_threshold, reciprocal_tau, detach_input):
    """`spike, v_next` of one step."""
    return _forward(x, v, v_threshold, None, reciprocal_tau, detach_input, False)


def ParametricLIF_soft_reset_fptt(x_seq, v, v_threshold, reciprocal_tau, detach_input):
    """`spike_seq, v_next` of a sequence."""
    return _forward(x_seq, v, v_threshold, None, reciprocal_tau, detach_input, True)


def ParametricLIF_hard_reset_forward_with_grad(
    x, v, v_threshold, v_reset, alpha, detach_reset, grad_surrogate_function_index, reciprocal_tau, detach_input
):
    """`spike, v_next, grad_s_to_h, grad_v_to_h, grad_h_to_rtau` of one step."""
    index = grad_surrogate_function_index
    return _forward_with_grad(
        x, v, v_threshold, v_reset, alpha, detach_reset, index, reciprocal_tau, detach_input, False
    )


def ParametricLIF_hard_reset_fptt_with_grad(
    x_seq, v, v_threshold, v_reset, alpha, detach_reset, grad_surrogate_function_index, reciprocal_tau, detach_input
):
    """`spike_seq, v_next, grad_s_to_h, grad_v_to_h, grad_h_to_rtau` of a sequence."""
    index = grad_surrogate_function_index
    return _forward_with_grad(
        x_seq, v, v_threshold, v_reset, alpha, detach_reset, index, reciprocal_tau, detach_input, True
    )


def ParametricLIF_soft_reset_forward_with_grad(
    x, v, v_threshold, alpha, detach_reset, grad_surrogate_function_index, reciprocal_tau, detach_input
):
    """`spike, v_next, grad_s_to_h, grad_v_to_h, grad_h_to_rtau` of one step."""
    index = grad_surrogate_function_index
    return _forward_with_grad(x, v, v_threshold, None, alpha, detach_reset, index, reciprocal_tau, detach_input, False)


def ParametricLIF_soft_reset_fptt_with_grad(
    x_seq, v, v_threshold, alpha, detach_reset, grad_surrogate_function_index, reciprocal_tau, detach_input
):
    """`spike_seq, v_next, grad_s_to_h, grad_v_to_h, grad_h_to_rtau` of a sequence."""
    index = grad_surrogate_function_index
    return _forward_with_grad(
        x_seq, v, v_threshold, None, alpha, detach_reset, index, reciprocal_tau, detach_input, True
    )


def ParametricLIF_backward(
    grad_spike, grad_v_next, grad_s_to_h, grad_v_to_h, grad_h_to_rtau, reciprocal_tau, detach_input
):
    """`grad_x, grad_v, grad_rtau` of one step; the last has one element."""
    return _backward(
        grad_spike, grad_v_next, grad_s_to_h, grad_v_to_h, grad_h_to_rtau, reciprocal_tau, detach_input, False
    )


def ParametricLIF_bptt(
    grad_spike_seq, grad_v_next, grad_s_to_h, grad_v_to_h, grad_h_to_rtau, reciprocal_tau, detach_input
):
    """`grad_x_seq, grad_v, grad_rtau` of a sequence; the last has one element."""
    return _backward(
        grad_spike_seq, grad_v_next, grad_s_to_h, grad_v_to_h, grad_h_to_rtau, reciprocal_tau, detach_input, True
    )


__all__ = [name for name in globals() if name.startswith("ParametricLIF_")]
