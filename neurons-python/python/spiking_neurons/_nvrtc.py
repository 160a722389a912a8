"""The compiler for kernels that are not embedded: NVRTC as the package that PyTorch's CUDA builds depend on has it."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import pathlib
from typing import Iterable


def candidates(roots: Iterable[str]) -> list[pathlib.Path]:
    """Libraries below the directories of the namespace package `nvidia`, the newest first."""
    found = [path for root in roots for path in pathlib.Path(root).glob("*/lib/libnvrtc.so.*")]
    # Beside it is a variant of the same library, `libnvrtc.alt.so`, which the pattern leaves out.
    return sorted(found, key=lambda path: path.suffix, reverse=True)


@functools.cache
def load() -> None:
    """Loads the library, if there is one: the kernels' runtime asks for it by name, and then gets this one.

    Without it, the runtime searches where the system's loader does, and says so if there is none and one is needed.
    """
    package = importlib.util.find_spec("nvidia")
    for path in candidates(package.submodule_search_locations or [] if package else []):
        try:
            ctypes.CDLL(str(path))
        except OSError:
            continue
        return
