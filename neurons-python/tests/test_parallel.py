"""DDP and FSDP2 on two processes: parameters and states are those of one process with the whole batch."""

import json
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing
from parallel import SCENARIOS, Network, Place, parameters, process

pytestmark = pytest.mark.skipif(
    not dist.is_available() or not dist.is_gloo_available(), reason="this PyTorch has no torch.distributed with gloo"
)

WORLD = 2
_GPUS = [
    pytest.mark.gpu,
    pytest.mark.skipif(torch.cuda.device_count() < WORLD, reason=f"there are fewer than {WORLD} GPUs"),
]


@pytest.fixture(scope="module", params=["cpu", pytest.param("cuda", marks=_GPUS)])
def ran(request, tmp_path_factory):
    """The device, and the results of all scenarios on each process."""
    folder = tmp_path_factory.mktemp("parallel")
    torch.multiprocessing.spawn(process, args=(WORLD, request.param, str(folder)), nprocs=WORLD)
    return request.param, [torch.load(folder / f"{rank}.pt") for rank in range(WORLD)]


@pytest.mark.parametrize("name", SCENARIOS)
def test_as_one_process(name, ran):
    device, processes = ran
    if name.startswith("accelerated"):
        pytest.importorskip("spikingjelly", reason="spikingjelly is not installed")
    results = [results[name] for results in processes]
    for rank, result in enumerate(results):
        assert not isinstance(result, str), f"process {rank}:\n{result}"
    expected, expected_shares = SCENARIOS[name](Place(0, 1, device))
    tolerance = {"rtol": 0.05, "atol": 1e-3} if name.startswith("mixed_precision") else {"rtol": 1e-9, "atol": 1e-12}
    for found, _ in results:
        torch.testing.assert_close(found, expected, **tolerance)
    assert all(torch.equal(value, results[1][0][key]) for key, value in results[0][0].items())
    for key, whole in expected_shares.items():
        torch.testing.assert_close(torch.cat([shares[key] for _, shares in results]), whole, **tolerance)


def test_parameters_of_neurons_are_trained(ran):
    """Otherwise the test above would hold whatever became of their gradients."""
    torch.manual_seed(0)
    initial = parameters(Network().double())
    final, _ = ran[1][0]["batches-fsdp"]
    learned = {name for name in initial if name.startswith(("channels", "layer"))}
    assert len(learned) == 2
    assert {name for name in learned if torch.equal(initial[name], final[name])} == set()


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=_GPUS)])
@pytest.mark.parametrize("engine", ["ddp", "fsdp"])
def test_the_script(engine, device, tmp_path):
    root = pathlib.Path(__file__).parents[2]
    script = root / "neurons-python" / "examples" / "distributed.py"
    if not script.exists():
        pytest.skip(f"{script} is missing: this is not a checkout of the repository")
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        str(WORLD),
        str(script),
    ]
    command += [
        "--device",
        device,
        "--model",
        "small",
        "--side",
        "16",
        "--batch",
        "2",
        "--warm-up",
        "1",
        "--repeats",
        "2",
    ]
    command += ["--check", *(["--fsdp"] if engine == "fsdp" else [])]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    settings, check, *rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert settings["processes"] == check["processes"] == WORLD and check["passed"]
    assert check["engine"] == engine and check["difference"] < 1e-12
    assert check["updated"] == check["parameters"]
    assert [(row["scaling"], row["processes"], row["batch"], row["engine"]) for row in rows] == [
        ("weak", 1, 2, "none"), ("weak", 2, 2, engine), ("strong", 1, 4, "none"), ("strong", 2, 2, engine),
    ]  # fmt: skip
    for row in rows:
        assert row["images_per_s"] == pytest.approx(row["processes"] * row["batch"] / row["step_ms"] * 1e3, rel=0.01)
    log = tmp_path / "log"
    log.write_text(f"a warning\n{run.stdout}")
    command = [sys.executable, root / "scripts" / "peers" / "torch_scaling.py", log, "--chart", tmp_path / "chart.svg"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("\n| weak |") == 2 and "the same parameters as one" in run.stdout
    xml.etree.ElementTree.parse(tmp_path / "chart.svg")
