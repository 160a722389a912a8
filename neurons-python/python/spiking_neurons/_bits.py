"""Spikes that are kept for a backward pass, as one bit each.

A convolution or a linear layer keeps its input for its backward pass. Where that input is the spikes of a neuron, one bit holds
what otherwise takes 2 to 8 bytes.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef

from . import _core


class _Local(threading.local):
    """As PyTorch's hooks, contexts apply to the thread that entered them."""

    tracker: save_spikes_as_bits | None = None


local = _Local()


class save_spikes_as_bits(torch.autograd.graph.saved_tensors_hooks):
    """Within this context, spikes that any operation keeps for its backward pass are kept as one bit each.

    ```python
    with spiking_neurons.save_spikes_as_bits():
        loss = criterion(model(x_seq), target)
    loss.backward()
    ```

    Nothing in the model changes, nor do results: spikes are packed when an operation such as a convolution saves them, and unpacked
    when its backward pass asks for them. Several operations that save the same spikes share the bits. Only what this package's
    neurons have put out is packed, in eager mode: spikes themselves, views of them, and their maxima by this package's `max_pool2d`; not sums
    of spikes, nor what other layers made of them. Spikes must not be changed through `.data`, which leaves no trace.

    Attributes:
        packed_bytes: bytes taken by the bits made in this context.
        saved_bytes: what the tensors would have taken, each counted once.
    """

    def __init__(self) -> None:
        # A storage is identified by the address of its descriptor, which is not used again while there is a weak reference. It
        # holds the same spikes as long as the version that its tensors share has not changed.
        self._spikes: dict[int, tuple[StorageWeakRef, int, torch.dtype]] = {}
        self._made: weakref.WeakValueDictionary[Any, _Packed] = weakref.WeakValueDictionary()
        self._outer: save_spikes_as_bits | None = None
        self.packed_bytes = 0
        self.saved_bytes = 0
        super().__init__(self._pack, _unpack)

    def __enter__(self) -> save_spikes_as_bits:
        super().__enter__()
        self._outer, local.tracker = local.tracker, self
        return self

    def __exit__(self, *args: Any) -> None:
        local.tracker, self._outer = self._outer, None
        self._made.clear()
        self._spikes.clear()
        super().__exit__(*args)

    def note(self, spikes: torch.Tensor) -> None:
        """That these are spikes: 0 and 1."""
        if not spikes.is_inference():
            storage = spikes.untyped_storage()
            self._spikes[storage._cdata] = (StorageWeakRef(storage), spikes._version, spikes.dtype)

    def _pack(self, tensor: torch.Tensor) -> torch.Tensor | _Packed:
        if type(tensor) not in (torch.Tensor, torch.nn.Parameter) or not self.are_spikes(tensor):
            return tensor
        key = (tensor.untyped_storage()._cdata, tensor.storage_offset(), tensor.dtype, tensor.shape, tensor.stride(), tensor._version)
        packed = self._made.get(key)
        if packed is None:
            packed = self._made[key] = _Packed(tensor)
            self.packed_bytes += packed.words.nbytes
            self.saved_bytes += tensor.nbytes
        return packed

    def are_spikes(self, tensor: torch.Tensor) -> bool:
        """Whether these are spikes that have been noted, worth a word of bits."""
        if not tensor.is_floating_point() or tensor.layout is not torch.strided or tensor.is_inference():
            return False
        known = self._spikes.get(tensor.untyped_storage()._cdata)
        if known is None or known[1:] != (tensor._version, tensor.dtype):
            return False
        # A word for less than a word of spikes would save nothing.
        return tensor.numel() >= 32 and not tensor.is_neg() and _core.is_dense(tensor, False)


class _Packed:
    """The bits, and what is needed to make the tensor of them again."""

    __slots__ = ("words", "shape", "stride", "dtype", "__weakref__")

    def __init__(self, spikes: torch.Tensor) -> None:
        self.shape, self.stride, self.dtype = spikes.shape, spikes.stride(), spikes.dtype
        self.words = torch.empty((spikes.numel() + 31) // 32, dtype=torch.int32, device=spikes.device)
        _core.pack_bits(spikes.detach(), self.words)


def _unpack(saved: torch.Tensor | _Packed) -> torch.Tensor:
    if isinstance(saved, torch.Tensor):
        return saved
    spikes = torch.empty_strided(saved.shape, saved.stride, dtype=saved.dtype, device=saved.words.device)
    _core.unpack_bits(saved.words, spikes)
    return spikes
