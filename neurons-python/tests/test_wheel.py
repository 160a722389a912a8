"""What is installed: links to nothing but the system's libraries, small, importable without PyTorch."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import spiking_neurons as sn
from spiking_neurons import _nvrtc


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("readelf") is None, reason="readelf is of Linux's binutils")
def test_links_to_system_libraries_only():
    listing = subprocess.run(["readelf", "-d", sn._core.__file__], check=True, capture_output=True, text=True).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.+?)\]", listing))
    assert needed <= {
        "libc.so.6",
        "libm.so.6",
        "libgcc_s.so.1",
        "libpthread.so.0",
        "libdl.so.2",
        "ld-linux-x86-64.so.2",
    }


def test_is_small():
    # A wheel is a quarter of it, without images of kernels; builds for development are larger.
    assert pathlib.Path(sn._core.__file__).stat().st_size < 120 << 20


def test_imports_without_torch():
    script = """
import sys
sys.modules["torch"] = None
import spiking_neurons as sn
from spiking_neurons import _nvrtc
assert sn.Neuron("Lif", tau=2.0).initial_state == (0.0,)
assert repr(sn.surrogate.ATan(3.0)) == "ATan(alpha=3)"
try:
    sn.Lif
except ImportError:
    pass
else:
    raise AssertionError("modules need torch")
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_finds_the_compiler_of_pytorch(tmp_path):
    for package, name in (("cu13", "libnvrtc.so.13"), ("cu13", "libnvrtc.alt.so.13"), ("cuda_nvrtc", "libnvrtc.so.12"),
                          ("cu13", "libnvrtc-builtins.so.13.0")):  # fmt: skip
        folder = tmp_path / package / "lib"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    found = _nvrtc.candidates([str(tmp_path), str(tmp_path / "missing")])
    assert [path.name for path in found] == ["libnvrtc.so.13", "libnvrtc.so.12"]
    _nvrtc.load()


def test_is_typed():
    package = pathlib.Path(sn.__file__).parent
    assert (package / "py.typed").exists()
    assert (package / "nn.pyi").exists()
