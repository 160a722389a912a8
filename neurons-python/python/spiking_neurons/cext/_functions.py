"""The functions of the extension `_C_neuron` for IF and LIF neurons, and those of soft reset, which it lacked."""

from __future__ import annotations

from ._kernels import backward, forward, forward_with_grad, lif


def LIF_hard_reset_forward(x, v, v_threshold, v_reset, reciprocal_tau, detach_input):
    """`spike, v_next` of one step."""
    return forward("Lif", x, v, v_threshold, v_reset, False, lif(reciprocal_tau, detach_input))


def LIF_hard_reset_fptt(x_seq, v, v_threshold, v_reset, reciprocal_tau, detach_input):
    """`spike_seq, v_next` of a sequence."""
    return forward("Lif", x_seq, v, v_threshold, v_reset, True, lif(reciprocal_tau, detach_input))


def LIF_soft_reset_forward(x, v, v_threshold, reciprocal_tau, detach_input):
    """`spike, v_next` of one step."""
    return forward("Lif", x, v, v_threshold, None, False, lif(reciprocal_tau, detach_input))


def LIF_soft_reset_fptt(x_seq, v, v_threshold, reciprocal_tau, detach_input):
    """`spike_seq, v_next` of a sequence."""
    return forward("Lif", x_seq, v, v_threshold, None, True, lif(reciprocal_tau, detach_input))


def LIF_hard_reset_forward_with_grad(
    x, v, v_threshold, v_reset, alpha, detach_reset, grad_surrogate_function_index, reciprocal_tau, detach_input
):
    """`spike, v_next, grad_s_to_h, grad_v_to_h` of one step."""
    values = lif(reciprocal_tau, detach_input)
    index = grad_surrogate_function_index
    return forward_with_grad("Lif", x, v, v_threshold, v_reset, alpha, detach_reset, index, False, values)


def LIF_hard_reset_fptt_with_grad(
    x_seq, v, v_threshold, v_reset, alpha, detach_reset, grad_surrogate_function_index, reciprocal_tau, detach_input
):
    """`spike_seq, v_next, grad_s_to_h, grad_v_to_h` of a sequence."""
    values = lif(reciprocal_tau, detach_input)
    index = grad_surrogate_function_index
    return forward_with_grad("Lif", x_seq, v, v_threshold, v_reset, alpha, detach_reset, index, True, values)


def LIF_soft_reset_forward_with_grad(
    x, v, v_threshold, alpha, detach_reset, grad_surrogate_function_index, reciprocal_tau, detach_input
):
    """`spike, v_next, grad_s_to_h, grad_v_to_h` of one step."""
    index = grad_surrogate_function_index
    return LIF_hard_reset_forward_with_grad(
        x, v, v_threshold, None, alpha, detach_reset, index, reciprocal_tau, detach_input
    )


def LIF_soft_reset_fptt_with_grad(
    x_seq, v, v_threshold, alpha, detach_reset, grad_surrogate_function_index, reciprocal_tau, detach_input
):
    """`spike_seq, v_next, grad_s_to_h, grad_v_to_h` of a sequence."""
    index = grad_surrogate_function_index
    return LIF_hard_reset_fptt_with_grad(
        x_seq, v, v_threshold, None, alpha, detach_reset, index, reciprocal_tau, detach_input
    )


def LIF_backward(grad_spike, grad_v_next, grad_s_to_h, grad_v_to_h, reciprocal_tau, detach_input):
    """`grad_x, grad_v` of one step."""
    values = lif(reciprocal_tau, detach_input)
    return backward("Lif", grad_spike, grad_v_next, (grad_s_to_h, grad_v_to_h), False, values)


def LIF_bptt(grad_spike_seq, grad_v_next, grad_s_to_h, grad_v_to_h, reciprocal_tau, detach_input):
    """`grad_x_seq, grad_v` of a sequence."""
    values = lif(reciprocal_tau, detach_input)
    return backward("Lif", grad_spike_seq, grad_v_next, (grad_s_to_h, grad_v_to_h), True, values)


def IF_hard_reset_forward(x, v, v_threshold, v_reset):
    """`spike, v_next` of one step."""
    return forward("If", x, v, v_threshold, v_reset, False, {})


def IF_hard_reset_fptt(x_seq, v, v_threshold, v_reset):
    """`spike_seq, v_next` of a sequence."""
    return forward("If", x_seq, v, v_threshold, v_reset, True, {})


def IF_soft_reset_forward(x, v, v_threshold):
    """`spike, v_next` of one step."""
    return forward("If", x, v, v_threshold, None, False, {})


def IF_soft_reset_fptt(x_seq, v, v_threshold):
    """`spike_seq, v_next` of a sequence."""
    return forward("If", x_seq, v, v_threshold, None, True, {})


def IF_hard_reset_forward_with_grad(x, v, v_threshold, v_reset, alpha, detach_reset, grad_surrogate_function_index):
    """`spike, v_next, grad_s_to_h, grad_v_to_h` of one step."""
    index = grad_surrogate_function_index
    return forward_with_grad("If", x, v, v_threshold, v_reset, alpha, detach_reset, index, False, {})


def IF_hard_reset_fptt_with_grad(x_seq, v, v_threshold, v_reset, alpha, detach_reset, grad_surrogate_function_index):
    """`spike_seq, v_next, grad_s_to_h, grad_v_to_h` of a sequence."""
    index = grad_surrogate_function_index
    return forward_with_grad("If", x_seq, v, v_threshold, v_reset, alpha, detach_reset, index, True, {})


def IF_soft_reset_forward_with_grad(x, v, v_threshold, alpha, detach_reset, grad_surrogate_function_index):
    """`spike, v_next, grad_s_to_h, grad_v_to_h` of one step."""
    index = grad_surrogate_function_index
    return IF_hard_reset_forward_with_grad(x, v, v_threshold, None, alpha, detach_reset, index)


def IF_soft_reset_fptt_with_grad(x_seq, v, v_threshold, alpha, detach_reset, grad_surrogate_function_index):
    """`spike_seq, v_next, grad_s_to_h, grad_v_to_h` of a sequence."""
    index = grad_surrogate_function_index
    return IF_hard_reset_fptt_with_grad(x_seq, v, v_threshold, None, alpha, detach_reset, index)


def IF_backward(grad_spike, grad_v_next, grad_s_to_h, grad_v_to_h):
    """`grad_x, grad_v` of one step."""
    return backward("If", grad_spike, grad_v_next, (grad_s_to_h, grad_v_to_h), False, {})


def IF_bptt(grad_spike_seq, grad_v_next, grad_s_to_h, grad_v_to_h):
    """`grad_x_seq, grad_v` of a sequence."""
    return backward("If", grad_spike_seq, grad_v_next, (grad_s_to_h, grad_v_to_h), True, {})


__all__ = [name for name in globals() if name.startswith(("LIF_", "IF_"))]
