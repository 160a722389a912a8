"""The reference cases of the repository: results of SpikingJelly 2.0.0, see `tests/reference/README.md`."""

import json
import os
import pathlib

import pytest

FOLDER = pathlib.Path(
    os.environ.get("NEURON_REFERENCE", pathlib.Path(__file__).parents[2] / "tests" / "reference" / "vectors")
)


class Case:
    """One file: settings, and tensors of float64 by name."""

    def __init__(self, path):
        from safetensors import safe_open

        self.name = path.stem
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
            self.tensors = {key: file.get_tensor(key) for key in file.keys()}
        self.neuron = metadata["neuron"]
        self.params = json.loads(metadata["params"])
        self.v_threshold, self.alpha = float(metadata["v_threshold"]), float(metadata["alpha"])
        self.v_reset = float(metadata["v_reset"]) if metadata["reset"] == "hard" else None
        self.surrogate, self.detach_reset = metadata["surrogate"], metadata["detach_reset"] == "true"

    def __getattr__(self, name):
        return self.__dict__["tensors"][name]


def paths():
    """Of all cases; without them, one that is skipped and says why."""
    found = sorted(FOLDER.glob("*.safetensors"))
    reason = f"no reference cases in {FOLDER}; set NEURON_REFERENCE to their folder"
    return [pytest.param(path, id=path.stem) for path in found] or [
        pytest.param(None, marks=pytest.mark.skip(reason=reason))
    ]
