"""Whether results agree: in full where they are small, by sums where they are not."""

import torch

from inputs import Expected, hash32

# By format: a neuron that comes so close to the threshold may fire or not; how far gradients of the others may
# differ, relatively and absolutely. Gradients are in the format itself.
TOLERANCES = {
    torch.float32: (1e-5, 1e-4, 1e-6),
    torch.float16: (1e-5, 2e-3, 1e-4),
    torch.bfloat16: (1e-5, 1.6e-2, 1e-3),
}
# For software that computes in the format too.
HALF_ARITHMETIC = {
    torch.float16: (8e-3, 2e-2, 1e-2),
    torch.bfloat16: (6e-2, 1e-1, 5e-2),
}
# How far sums of gradients may differ, as a part of the sum of absolute values.
SUMS = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 1e-2}


def in_full(spike_seq, grad_x_seq, wanted: Expected, tolerances) -> dict:
    """Compares with the results of float64; `agrees` is the verdict."""
    near, relative, absolute = tolerances
    spike_seq, grad_x_seq = spike_seq.double().cpu(), grad_x_seq.double().cpu()
    clear = wanted.distance >= near
    differing = spike_seq != wanted.spike_seq
    # Written so that a NaN is wrong.
    error = (grad_x_seq - wanted.grad_x_seq).abs()
    wrong = ~(error <= absolute + relative * wanted.grad_x_seq.abs())
    same_path = clear & ~differing.any(0)
    return {
        "compared": spike_seq.numel(),
        "spikes_differing": int(differing.sum()),
        "spikes_wrong": int(differing[:, clear].sum()),
        "grads_wrong": int(wrong[:, clear].sum()),
        "largest_grad_error": float(error[:, same_path].max()) if same_path.any() else None,
        "agrees": bool(clear.any()) and not bool(differing[:, clear].any()) and not bool(wrong[:, clear].any()),
    }


def sums(spike_seq: torch.Tensor, grad_x_seq: torch.Tensor) -> dict:
    """As in `neurons/examples/peer.rs`. Spikes are weighted by whole numbers, so that theirs is exact."""
    n = spike_seq.shape[1]
    spikes = weighted_spikes = 0
    weighted_grad = absolute_grad = 0.0
    for step in range(len(spike_seq)):  # one at a time: weights take 8 bytes
        weight = hash32(torch.arange(step * n, (step + 1) * n, device=spike_seq.device))
        fired, grad = spike_seq[step] != 0, grad_x_seq[step].double()
        spikes += int(fired.sum())
        weighted_spikes += int(torch.where(fired, weight, 0).sum())
        weighted_grad += float((grad * weight).sum()) / 2**32
        absolute_grad += float(grad.abs().sum())
    return {
        "spikes": spikes,
        "weighted_spikes": weighted_spikes,
        "weighted_grad": weighted_grad,
        "absolute_grad": absolute_grad,
    }


def by_sums(ours: dict, theirs: dict, exact: bool, relative: float) -> bool:
    """Exactly the same spikes where rounding plays no part, else nearly as many; gradients of nearly the same sums."""
    scale = ours["absolute_grad"]
    grads = all(abs(ours[key] - theirs[key]) <= relative * scale for key in ("weighted_grad", "absolute_grad"))
    if exact:
        return grads and all(ours[key] == theirs[key] for key in ("spikes", "weighted_spikes"))
    return grads and abs(ours["spikes"] - theirs["spikes"]) <= 1e-2 * ours["spikes"]
