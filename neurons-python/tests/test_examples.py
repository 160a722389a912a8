"""The examples run, and the simulated event camera sees what it is shown. (`distributed.py` is run by `test_parallel.py`.)"""

import importlib
import pathlib
import sys
import xml.etree.ElementTree

import pytest
import torch

FOLDER = pathlib.Path(__file__).parents[1] / "examples"


@pytest.fixture
def example(monkeypatch):
    """A function that imports one, and sets the command line that it will read."""
    if not FOLDER.exists():
        pytest.skip(f"{FOLDER} is missing: this is not a checkout of the repository")
    monkeypatch.syspath_prepend(str(FOLDER))

    def imported(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        return importlib.import_module(name)

    return imported


def test_motion(example, tmp_path, device, capsys, one_thread):
    picture = tmp_path / "motion.svg"
    options = ["--epochs", "2", "--samples", "64", "--test-samples", "32", "--width", "4", "--picture", str(picture)]
    motion = example("motion", "--device", str(device), *options)
    accuracy = motion.main()
    assert f"test accuracy {accuracy:.3f}" in capsys.readouterr().out.splitlines()[-2]
    root = xml.etree.ElementTree.parse(picture).getroot()
    titles = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert len(titles) == 9 and titles[-1].endswith(f"{accuracy:.3f}")


def test_events_follow_the_motion(example, one_thread):
    motion = example("motion")
    events, labels = motion.recordings(240, 8, 32, seed=0, device="cpu")
    assert torch.equal(events, motion.recordings(240, 8, 32, seed=0, device="cpu")[0])
    # Without noise, which is anywhere: pixels with neighbours that have events, too.
    counts = events.float().sum(2)
    counts = counts * (torch.nn.functional.avg_pool2d(counts, 3, 1, 1) * 9 > counts + 1)
    axis = torch.linspace(-1, 1, 32)
    total = counts.sum((2, 3)).clamp_min(1)
    x, y = (counts * axis).sum((2, 3)) / total, (counts * axis[:, None]).sum((2, 3)) / total
    spread = (counts * (axis**2 + axis[:, None] ** 2)).sum((2, 3)) / total - x**2 - y**2
    change = {"x": x[:, -2:].mean(1) - x[:, :2].mean(1), "y": y[:, -2:].mean(1) - y[:, :2].mean(1)}
    change["size"] = spread[:, -2:].mean(1) - spread[:, :2].mean(1)
    for label, (quantity, sign) in enumerate([("x", -1), ("x", 1), ("y", -1), ("y", 1), ("size", 1), ("size", -1)]):
        assert (change[quantity][labels == label] * sign > 0).float().mean() > 0.9, motion.CLASSES[label]
    # ON and OFF events do not tell the class: brightness is arbitrary.
    on = events[:, :, 0].float().sum((1, 2, 3)) / events.float().sum((1, 2, 3, 4))
    assert all(0.25 < on[labels == label].mean() < 0.75 for label in range(len(motion.CLASSES)))


def test_digits(example, device, capsys, one_thread):
    digits = example("digits", "--device", str(device), "--epochs", "1", "--steps", "2", "--batch", "256")
    if not digits.DATA.exists():
        pytest.skip(f"{digits.DATA} is missing: this is not a checkout of the repository")
    accuracy = digits.main()
    assert f"test accuracy {accuracy:.3f}" in capsys.readouterr().out
