"""Make the published wheel of torch importable on a machine without NVIDIA's libraries.

The published Linux wheels of torch are built for CUDA: they are linked against 3 GB of packages that nothing on a CPU
calls. Run after `pip install --no-deps torch nvidia-cuda-runtime`, with the interpreter of the environment: every library
that torch is linked against and that is missing becomes an empty one in `torch/lib`, and symbols are bound when they are first
called. If this does not lead to a torch that can add two numbers, the exit status is 1 and the remedy is `pip install torch`.
"""

import ctypes
import importlib.util
import os
import pathlib
import re
import subprocess
import sys
import sysconfig

# The driver is loaded on demand, and torch has to notice that it is missing.
NEVER = {"libcuda.so.1"}


def needed(library: pathlib.Path) -> set[str]:
    listing = subprocess.run(["readelf", "-d", library], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"\(NEEDED\).*\[(.+?)\]", listing))


def is_loadable(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def main() -> int:
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        print("torch is not installed in this environment", file=sys.stderr)
        return 1
    package = pathlib.Path(spec.origin).parent
    library = package / "lib"
    libraries = [path for path in library.iterdir() if ".so" in path.name]
    names = set().union(*(needed(path) for path in libraries)) - NEVER
    beside = {path.name for path in [*libraries, *package.parent.glob("nvidia/*/lib/*.so*")]}
    for name in sorted(names - beside):
        if not is_loadable(name):
            stub = library / name
            command = ["cc", "-shared", f"-Wl,-soname,{name}", "-o", stub, "-x", "c", os.devnull]
            subprocess.run(command, check=True)
            print(f"{name}: an empty library")
    lazy = pathlib.Path(sysconfig.get_path("purelib")) / "bind_lazily.pth"
    lazy.write_text("import os, sys; sys.setdlopenflags(os.RTLD_LAZY)\n")
    check = "import torch; assert (torch.ones(2) + 1).sum() == 4; print('torch', torch.__version__, 'works')"
    return subprocess.run([sys.executable, "-c", check], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
