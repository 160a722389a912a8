"""Type stubs are those of this version."""

import importlib.util
import pathlib

import pytest

import spiking_neurons

SCRIPT = pathlib.Path(__file__).parents[1] / "stubs.py"


def stubs():
    spec = importlib.util.spec_from_file_location("stubs", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.FILES


@pytest.mark.skipif(not SCRIPT.exists(), reason="not in a checkout")
@pytest.mark.parametrize("file", ["functional.pyi", "nn.pyi", "surrogate.pyi", "__init__.pyi"])
def test_stubs_are_up_to_date(file):
    written = (pathlib.Path(spiking_neurons.__file__).parent / file).read_text()
    assert written == stubs()[file](), "run `python neurons-python/stubs.py`"
