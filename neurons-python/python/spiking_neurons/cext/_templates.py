"""The templates that 2020's documentation had for new neurons, for any neuron of the zoo with one input and one state.

`neuron` is its name, `"Qif"`; its own parameters are keyword arguments. With-grad templates return, behind `grad_s_to_h` and
`grad_v_to_h`, what else the neuron saves, and the backward templates take all of that.
"""

from __future__ import annotations

from ._kernels import backward, forward, forward_with_grad


def hard_reset_forward_template(x, v, v_threshold, v_reset, neuron, **own):
    """`spike, v_next` of one step."""
    return forward(neuron, x, v, v_threshold, v_reset, False, own)


def hard_reset_fptt_template(x_seq, v, v_threshold, v_reset, neuron, **own):
    """`spike_seq, v_next` of a sequence."""
    return forward(neuron, x_seq, v, v_threshold, v_reset, True, own)


def soft_reset_forward_template(x, v, v_threshold, neuron, **own):
    """`spike, v_next` of one step."""
    return forward(neuron, x, v, v_threshold, None, False, own)


def soft_reset_fptt_template(x_seq, v, v_threshold, neuron, **own):
    """`spike_seq, v_next` of a sequence."""
    return forward(neuron, x_seq, v, v_threshold, None, True, own)


def hard_reset_forward_with_grad_template(
    x, v, v_threshold, v_reset, alpha, detach_reset, grad_surrogate_function_index, neuron, **own
):
    """`spike, v_next, grad_s_to_h, grad_v_to_h, ...` of one step."""
    index = grad_surrogate_function_index
    return forward_with_grad(neuron, x, v, v_threshold, v_reset, alpha, detach_reset, index, False, own)


def hard_reset_fptt_with_grad_template(
    x_seq, v, v_threshold, v_reset, alpha, detach_reset, grad_surrogate_function_index, neuron, **own
):
    """`spike_seq, v_next, grad_s_to_h, grad_v_to_h, ...` of a sequence."""
    index = grad_surrogate_function_index
    return forward_with_grad(neuron, x_seq, v, v_threshold, v_reset, alpha, detach_reset, index, True, own)


def soft_reset_forward_with_grad_template(
    x, v, v_threshold, alpha, detach_reset, grad_surrogate_function_index, neuron, **own
):
    """`spike, v_next, grad_s_to_h, grad_v_to_h, ...` of one step."""
    index = grad_surrogate_function_index
    return forward_with_grad(neuron, x, v, v_threshold, None, alpha, detach_reset, index, False, own)


def soft_reset_fptt_with_grad_template(
    x_seq, v, v_threshold, alpha, detach_reset, grad_surrogate_function_index, neuron, **own
):
    """`spike_seq, v_next, grad_s_to_h, grad_v_to_h, ...` of a sequence."""
    index = grad_surrogate_function_index
    return forward_with_grad(neuron, x_seq, v, v_threshold, None, alpha, detach_reset, index, True, own)


def backward_template(grad_spike, grad_v_next, grad_s_to_h, grad_v_to_h, *saved, neuron, **own):
    """`grad_x, grad_v` of one step."""
    return backward(neuron, grad_spike, grad_v_next, (grad_s_to_h, grad_v_to_h, *saved), False, own)


def bptt_template(grad_spike_seq, grad_v_next, grad_s_to_h, grad_v_to_h, *saved, neuron, **own):
    """`grad_x_seq, grad_v` of a sequence."""
    return backward(neuron, grad_spike_seq, grad_v_next, (grad_s_to_h, grad_v_to_h, *saved), True, own)


__all__ = [name for name in globals() if name.endswith("_template")]
