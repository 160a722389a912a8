"""Batch normalisation and a neuron as one differentiable operation.

Ioffe and Szegedy, *Batch Normalization* (2015): `y = weight (x - mean) / sqrt(var + eps) + bias`, with the mean and the biased variance
of each channel over batch, time and space. Here `y` is never stored: the neuron's kernels compute it as they read their input.

Forward, one pass over `x` computes the statistics, and a second one reads it again and writes spikes. Backward, the neuron's kernel gives
the gradient of `y` and, summed over each channel, those of `weight` and `bias`; a further pass combines these with `x` into its gradient.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple, Sequence

import torch
import torch.distributed as dist
from torch.nn.modules.batchnorm import _BatchNorm

from . import _core, functional
from ._autograd import differentiate, save
from ._call import Call, calls, real
from ._declare import redeclare
from ._neuron import SPECS, Neuron, key_of
from ._traced import is_traced

_PARAMETERS = """
    /// Mean of each channel.
    array bn_mean = 0.0;
    /// `1 / sqrt(var + eps)` of each channel, with the biased variance.
    array bn_invstd = 1.0;
    /// Scale of each channel.
    learnable bn_weight = 1.0;
    /// Shift of each channel.
    learnable bn_bias = 0.0;
"""

NAMES = ("bn_mean", "bn_invstd", "bn_weight", "bn_bias")


def _input(x: str, of_batch: bool) -> str:
    """The input of the neuron.

    Where the statistics are those of `x` itself, the kernel's gradient of `x` is the gradient of the normalised input: `_input_gradient`
    continues from there. Otherwise they are constants.
    """
    normalised = f"(({x} - bn_mean) * bn_invstd)"
    value = f"bn_weight * {normalised} + bn_bias"
    return f"straight_through({value}, {x} + bn_weight * detach{normalised} + bn_bias)" if of_batch else value


class Batch(NamedTuple):
    """What an input is normalised by.

    Attributes:
        mean: of each channel.
        invstd: `1 / sqrt(var + eps)` of each channel, with the biased variance.
        counts: values per channel: their number, or a tensor with that of each process of `group`. None for running statistics.
        group: the processes that share them, if there are several.
    """

    mean: torch.Tensor
    invstd: torch.Tensor
    counts: int | torch.Tensor | None = None
    group: Any = None


def fits(neuron: Neuron) -> bool:
    """Whether a neuron can be fused: it has one input, and runs as itself."""
    return len(neuron.spec["inputs"]) == 1 and not neuron.relaxed


def clash(spec: dict[str, Any]) -> str | None:
    """The first name of the neuron that is also that of a parameter of the normalisation."""
    names = [entry["name"] for entry in (*spec["params"], *spec["flags"], *spec["states"])]
    return next((name for name in (*names, *spec["inputs"]) if name in NAMES), None)


def run(
    neuron: Neuron,
    norm: _BatchNorm,
    x: torch.Tensor,
    states: Sequence[Any] | None,
    parameters: Any,
    sequence: bool,
    final: bool = True,
) -> tuple[torch.Tensor, ...]:
    """The output, and with `final` the next states, of a neuron whose input is `norm` of `x`."""
    shape = x.shape[1:] if sequence else x.shape
    if len(shape) < 2 or shape[1] != norm.num_features:
        lead = "T, B" if sequence else "B"
        raise ValueError(
            f"{neuron.name}: `x` has shape {tuple(x.shape)}, [{lead}, {norm.num_features}, ...] expected by the normalisation"
        )
    if not fits(neuron) or x.numel() == 0 or is_traced((x,)):
        return functional.run(neuron, normalised(norm, x, sequence), states, parameters, sequence, final)
    is_own = norm.training or norm.running_mean is None
    fused = _fused(neuron, is_own)
    # Refuses formats and devices, before running statistics are updated.
    calls(fused, x.dtype, x.device, sequence)
    if not is_own:
        x = with_bias(norm, x, sequence)
    flat = x.flatten(0, 1) if sequence else x
    norm._check_input_dim(flat)
    batch = _statistics(norm, flat, left_out(norm)) if is_own else _running(norm, real(x.dtype))
    if x.device.type == "cpu" and not _is_finite(batch.mean, batch.invstd, norm.weight, norm.bias):
        # Kernels refuse parameters that are not finite. These are computed from data, and propagate as PyTorch does it.
        running = (None, None) if is_own else (norm.running_mean, norm.running_var)
        y = torch.nn.functional.batch_norm(flat, *running, norm.weight, norm.bias, is_own, 0.0, norm.eps)
        return functional.run(neuron, y.view_as(x), states, parameters, sequence, final)
    dims = (norm.num_features, *(1 for _ in shape[2:]))
    given = {"bn_mean": batch.mean.view(dims), "bn_invstd": batch.invstd.view(dims)}
    for name, value in (("bn_weight", norm.weight), ("bn_bias", norm.bias)):
        if value is not None:
            given[name] = value.view(dims)
        elif is_own:
            # The gradient of `x` is made of sums over each channel, whether or not these are learned.
            given[name] = torch.full(dims, float(name == "bn_weight"), dtype=batch.mean.dtype, device=x.device)
    call, arrays = functional.arrange(fused, (x,), states, {**(parameters or {}), **given}, sequence)
    if not is_own:
        return functional.run_arranged(call, arrays, final)
    return functional.run_arranged(call, arrays, final, functools.partial(Fused.apply, batch))


def has_hooks(module: torch.nn.Module) -> bool:
    """Whether a module has hooks that see its input, its output or their gradients."""
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    return any(hooks)


def is_plain(norm: _BatchNorm) -> bool:
    """Whether a normalisation computes what PyTorch's do, and has its parameters."""
    known = (_BatchNorm.forward, torch.nn.SyncBatchNorm.forward)
    return type(norm).forward in known and not isinstance(norm, torch.nn.modules.lazy.LazyModuleMixin)


def left_out(norm: _BatchNorm) -> torch.Tensor | None:
    """The bias that the input of `norm` lacks, if the convolution before it left it out in its last call."""
    before = getattr(norm, "_before", None)
    return None if before is None else before.left_out()


def with_bias(norm: _BatchNorm, x: torch.Tensor, sequence: bool = False) -> torch.Tensor:
    """The input of `norm`, `[B, C, ...]` or a sequence of it, with what it lacks."""
    bias = left_out(norm)
    return x if bias is None else x + bias.to(x.dtype).view(-1, *(1 for _ in x.shape[2 + sequence :]))


def normalised(norm: _BatchNorm, x: torch.Tensor, sequence: bool) -> torch.Tensor:
    """The normalisation alone, as PyTorch does it."""
    # Not `norm(x)`: subclasses have forward methods of their own, for sequences or for none.
    forward = torch.nn.SyncBatchNorm.forward if isinstance(norm, torch.nn.SyncBatchNorm) else _BatchNorm.forward
    y = forward(norm, with_bias(norm, x.flatten(0, 1) if sequence else x))
    return y.unflatten(0, x.shape[:2]) if sequence else y


@functools.lru_cache(maxsize=256)
def _fused(neuron: Neuron, of_batch: bool) -> Neuron:
    """The neuron of a normalised input, with the same values."""
    from . import nn

    spec = neuron.spec
    base = nn.declared[neuron.key] if key_of(spec) not in SPECS else getattr(nn, spec["name"])
    (x,) = spec["inputs"]
    changes = f"{_PARAMETERS} input {x} = {_input(x, of_batch)};"
    changed = redeclare(base, f"BatchNorm{spec['name']}", changes)
    settings = (neuron.reset, neuron.surrogate, neuron.detach_reset)
    return Neuron(key_of(changed.spec), *settings, scan=neuron.scan, **neuron.values)


def _is_finite(*tensors: torch.Tensor | None) -> bool:
    return all(tensor is None or bool(tensor.isfinite().all()) for tensor in tensors)


def _running(norm: _BatchNorm, dtype: torch.dtype) -> Batch:
    return Batch(norm.running_mean.to(dtype), torch.rsqrt(norm.running_var.to(dtype) + norm.eps))


def _statistics(norm: _BatchNorm, x: torch.Tensor, bias: torch.Tensor | None = None) -> Batch:
    """The statistics of `x`, `[B, C, ...]`; in training, also updates the running ones, which are those of `x` with the `bias` that it lacks."""
    training, has_running = norm.training, norm.running_mean is not None
    count = x.numel() // x.shape[1]
    group = _group(norm) if training else None
    if training and group is None and count < 2:
        raise ValueError(f"a batch of shape {tuple(x.shape)} has {count} values of each channel, at least 2 expected in training")
    tracked, momentum = training and norm.track_running_stats and has_running, norm.momentum
    batches = norm.num_batches_tracked if tracked else None
    with torch.no_grad():
        if batches is not None and (momentum is None or batches.dtype is not torch.int64 or batches.device != x.device):
            batches.add_(1)
            if momentum is None:
                momentum = 1.0 / float(batches)
            batches = None
        momentum = 0.0 if momentum is None else momentum
        if not tracked:
            return _measured(norm, x, count, group, None, None, momentum)
        given = (norm.running_mean, norm.running_var)
        running = tuple(value.to(real(x.dtype)) for value in given)
        batch = _measured(norm, x, count, group, running, batches, momentum)
        for target, value in zip(given, running):
            if target is not value:
                target.copy_(value)
        if bias is not None:
            norm.running_mean.add_(bias, alpha=momentum)
    return batch


def _measured(
    norm: _BatchNorm,
    x: torch.Tensor,
    count: int,
    group: Any,
    running: tuple[torch.Tensor, ...] | None,
    batches: torch.Tensor | None,
    momentum: float,
) -> Batch:
    """The statistics of `x`. Running ones, in the format of states, and the number of batches are updated."""
    if group is None and x.device.type == "cuda":
        rows = x.detach().movedim(1, -1)
        if rows.is_contiguous():
            mean, invstd = torch.empty(2, x.shape[1], dtype=real(x.dtype), device=x.device)
            _core.channel_moments(rows, mean, invstd, *(running or (None, None)), batches, momentum, norm.eps)
            return Batch(mean, invstd, count)
    if batches is not None:
        batches.add_(1)
    if group is not None:
        return _shared(norm, x, count, group, running, momentum)
    if x.device.type == "cuda":
        mean, invstd = torch.batch_norm_stats(x, norm.eps)
        if running is not None:
            counts = torch.full((1,), count, dtype=running[0].dtype, device=x.device)
            torch.batch_norm_gather_stats_with_counts(x, mean[None], invstd[None], *running, momentum, norm.eps, counts)
        return Batch(mean, invstd, count)
    mean, var = torch.batch_norm_update_stats(_wide(x), *(running or (None, None)), momentum)
    return Batch(mean, torch.rsqrt(var + norm.eps), count)


def _wide(x: torch.Tensor) -> torch.Tensor:
    """On the CPU, statistics are computed in the format of the input, and half precision has too few digits for them."""
    return x.to(real(x.dtype)) if x.device.type == "cpu" else x


def _shared(
    norm: _BatchNorm, x: torch.Tensor, count: int, group: Any, running: tuple[torch.Tensor, ...] | None, momentum: float
) -> Batch:
    """The statistics of the batches of all processes, merged in the same order in each (Chan et al., 1979)."""
    mean, var = torch.batch_norm_update_stats(_wide(x), None, None, 0.0)
    own = torch.cat([mean, var, torch.full_like(mean, count)])
    everyone = own.new_empty(dist.get_world_size(group) * len(own))
    dist.all_gather_into_tensor(everyone, own, group=group)
    means, variances, counts = everyone.view(-1, 3, len(mean)).unbind(1)
    total = counts.sum(0)
    mean = (means * counts).sum(0) / total
    var = ((variances + (means - mean).square()) * counts).sum(0) / total
    if running is not None:
        unbiased = var * total / (total - 1).clamp(min=1)
        for target, value in zip(running, (mean, unbiased)):
            target.lerp_(value.to(target.dtype), momentum)
    return Batch(mean, torch.rsqrt(var + norm.eps), counts[:, 0].to(torch.int32), group)


def _group(norm: _BatchNorm) -> Any:
    """The processes over which statistics are synchronised, if there are several."""
    if not isinstance(norm, torch.nn.SyncBatchNorm) or not dist.is_available() or not dist.is_initialized():
        return None
    group = norm.process_group or dist.group.WORLD
    return group if dist.get_world_size(group) > 1 else None


class Fused(torch.autograd.Function):
    """`apply(batch, call, final, *arrays)`: as `Differentiable` of the fused neuron, whose input the statistics are of."""

    @staticmethod
    def forward(ctx: Any, batch: Batch, call: Call, final: bool, *arrays: torch.Tensor | None) -> tuple[torch.Tensor, ...]:
        ctx.batch = batch
        weight = arrays[call.inputs + call.states + _place(call, "bn_weight")]
        # Steps are computed again: keeping derivatives would keep another tensor of the size of `x` as well.
        return save(ctx, call, final, arrays, True, arrays[0], batch.mean, batch.invstd, weight)

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor | None, *grad_states: torch.Tensor | None) -> tuple[Any, ...]:
        grads, (x, mean, invstd, weight) = differentiate(ctx, 3, grad_output, grad_states)
        parameters = ctx.call.inputs + ctx.call.states
        at_weight, at_bias = (parameters + _place(ctx.call, name) for name in ("bn_weight", "bn_bias"))
        if ctx.needs_input_grad[3]:
            sums = grads[at_bias].flatten(), grads[at_weight].flatten()
            grads[0] = _input_gradient(ctx, grads[0], x, mean, invstd, weight.flatten(), sums)
        return (None, None, None, *grads)


def _place(call: Call, name: str) -> int:
    """Of a parameter among those that may be tensors."""
    return list(call.defaults).index(name)


def _input_gradient(
    ctx: Any,
    grad: torch.Tensor,
    x: torch.Tensor,
    mean: torch.Tensor,
    invstd: torch.Tensor,
    weight: torch.Tensor,
    sums: tuple[torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    """The gradient of `x`, from that of the normalised input and its sums over channels, alone and times the normalised input.

    With `n` values of each channel, `z = (x - mean) invstd`, and `g` the gradient of `weight z + bias`:
    `weight invstd (g - sum(g) / n - z sum(g z) / n)`.
    """
    call, (_, _, counts, group) = ctx.call, ctx.batch
    if group is not None:
        both = torch.stack(sums)
        dist.all_reduce(both, group=group)
        sums = both[0], both[1]
    flat = (grad.flatten(0, 1), x.flatten(0, 1)) if call.sequence else (grad, x)
    if grad.device.type == "cuda":
        # With channels before space, PyTorch's kernel is the faster one.
        if isinstance(counts, int) and flat[1].movedim(1, -1).is_contiguous():
            # In place: nobody else has the gradient of the normalised input.
            _core.normalisation_gradient(*flat, mean, invstd, weight, sums[1], sums[0])
            return grad
        if isinstance(counts, int):
            counts = torch.full((1,), counts, dtype=torch.int32, device=grad.device)
        # Takes the sum of `g (x - mean)`.
        new = torch.batch_norm_backward_elemt(*flat, mean, invstd, weight, sums[0], sums[1] / invstd, counts)
        return new.view(grad.shape)
    total = counts if isinstance(counts, int) else counts.sum()
    dims = (-1, *(1 for _ in flat[0].shape[2:]))
    projected = (flat[1].to(call.real) - mean.view(dims)).mul_((sums[1] * invstd / total).view(dims))
    projected.add_((sums[0] / total).view(dims))
    return torch.sub(flat[0], projected).mul_((weight * invstd).view(dims)).to(grad.dtype).view(grad.shape)
