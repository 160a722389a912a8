"""Operations under `torch.func.vmap`."""

from __future__ import annotations

from typing import Any, Callable

import torch

# Private: without it, transforms of `torch.func` fail with PyTorch's own message.
_transforms = getattr(getattr(torch._C, "_functorch", None), "peek_interpreter_stack", lambda: None)


def is_transformed() -> bool:
    """Whether this runs under transforms of `torch.func`, and is not being compiled."""
    return not torch.compiler.is_compiling() and _transforms() is not None


def register_vmap(
    library: torch.library.Library, operation: Any, given: list[str], results: Callable[[bool, Any], list[str]]
) -> None:
    """Registers how an operation is computed for a batch of calls.

    Args:
        given: what each tensor of the operation is: `"signal"`, which has time as its first dimension in sequences, `"state"`, `"kept"`
            for a checkpoint, whose first dimension is always time, or `"param"`.
        results: the same of what it returns, from its last two arguments: whether it is a sequence, and what it is to return.
    """

    def rule(info: Any, in_dims: Any, *args: Any) -> tuple[Any, Any]:
        return _mapped(operation, given, results(*args[-2:]), info.batch_size, in_dims, args)

    torch.library.register_vmap(operation, rule, lib=library)


def _mapped(
    operation: Any, given: list[str], results: list[str], size: int, in_dims: Any, args: Any
) -> tuple[Any, Any]:
    """A batch of calls as more neurons, or one by one if parameters have values or gradients of their own in each."""
    tensors, settings = args[: len(given)], args[len(given) :]
    sequence = settings[-2]
    batched = [dim is not None for dim in in_dims[: len(given)]]
    if "param" in results or any(kind == "param" and has for kind, has in zip(given, batched)):
        parts = []
        for at in range(size):
            own = [tensor.select(dim, at) if has else tensor for tensor, dim, has in zip(tensors, in_dims, batched)]
            parts.append(operation(*[None if tensor is None else tensor.contiguous() for tensor in own], *settings))
        return [torch.stack(part) for part in zip(*parts)], [0] * len(results)
    place = {"signal": 1 if sequence else 0, "state": 0, "kept": 1}
    folded = []
    for tensor, kind, dim, has in zip(tensors, given, in_dims, batched):
        if tensor is not None and kind != "param":
            at = place[kind]
            shape = (*tensor.shape[:at], size, *tensor.shape[at:])
            tensor = tensor.movedim(dim, at) if has else tensor.unsqueeze(at).expand(shape)
        folded.append(None if tensor is None else tensor.contiguous())
    return operation(*folded, *settings), [place[kind] for kind in results]
