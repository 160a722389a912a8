"""Large tensors on the CPU are in memory that is kept for later ones."""

import copy
import multiprocessing
import pickle
import threading

import pytest
import torch
from torch.utils.dlpack import from_dlpack

import spiking_neurons as sn
from spiking_neurons import _core, _memory

# In float32 just enough.
STEPS, NEURONS = 8, _memory.LARGE // (8 * 4)


def lif():
    return sn.Lif(tau=2.0, step_mode="m", keep_state=False)


@pytest.fixture(autouse=True)
def nothing_is_kept():
    sn.release_memory()
    yield
    sn.release_memory()


def test_freed_tensors_are_used_again():
    x = torch.randn(STEPS, NEURONS)
    node = lif()
    spikes = node(x)
    address = spikes.data_ptr()
    expected = spikes.clone()
    del spikes
    again = node(x)
    assert again.data_ptr() == address
    assert torch.equal(again, expected)
    # As long as it is in use, it is nobody else's.
    assert node(-x).data_ptr() != address
    assert torch.equal(again, expected)


def test_views_keep_the_memory():
    x = torch.randn(STEPS, NEURONS)
    node = lif()
    spikes = node(x)
    address, last, expected = spikes.data_ptr(), spikes[-1], spikes[-1].clone()
    del spikes
    assert node(-x).data_ptr() != address
    assert torch.equal(last, expected)


def test_small_tensors_are_the_allocators(monkeypatch):
    monkeypatch.setattr(_memory, "host_tensor", lambda *_: pytest.fail("a small tensor"))
    lif()(torch.randn(STEPS, 1000))


def train(x, **options):
    x = x.clone().requires_grad_()
    states = [torch.full_like(x[0], 0.25).requires_grad_()]
    output, v = sn.functional.lif_multi_step(x, *states, tau=2.0, **options)
    (output.sum() + (v * v).sum()).backward()
    return output.detach(), v.detach(), x.grad, states[0].grad


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_results_do_not_depend_on_where_they_are(dtype, monkeypatch):
    x = torch.randn(STEPS, 4, 6, 5, dtype=dtype).to(memory_format=torch.channels_last)
    expected = train(x)
    monkeypatch.setattr(_memory, "LARGE", 0)
    for tensor, other in zip(train(x), expected):
        assert tensor.dtype is other.dtype and tensor.stride() == other.stride()
        assert torch.equal(tensor, other)


def test_they_are_tensors_like_others():
    x = torch.randn(STEPS, NEURONS)
    spikes = lif()(x)
    assert spikes.data_ptr() % 256 == 0 and spikes.is_contiguous() and not spikes._is_view()
    assert torch.equal(copy.deepcopy(spikes), spikes)
    assert torch.equal(pickle.loads(pickle.dumps(spikes)), spikes)
    with torch.inference_mode():
        assert lif()(x).is_inference()
    spikes.add_(1)
    assert spikes.min() == 1


def test_a_capsule_that_nobody_takes_frees_its_memory():
    first = from_dlpack(_core.host_tensor([STEPS, NEURONS], [NEURONS, 1], "torch.float32"))
    address = first.data_ptr()
    del first
    capsule = _core.host_tensor([STEPS, NEURONS], [NEURONS, 1], "torch.float32")
    del capsule
    assert from_dlpack(_core.host_tensor([STEPS, NEURONS], [NEURONS, 1], "torch.float32")).data_ptr() == address


@pytest.mark.parametrize(
    ("shape", "stride", "dtype", "error"),
    [
        ([2, 3], [4, 1], "torch.float32", "gaps"),
        ([2, 3], [3], "torch.float32", "gaps"),
        ([2, 0], [1, 1], "torch.float32", "no elements"),
        ([2, -3], [3, 1], "torch.float32", "no elements"),
        ([2, 3], [3, 1], "torch.int16", "torch.int16"),
        ([1 << 40, 1 << 40], [1 << 40, 1], "torch.float32", "no memory"),
        ([1 << 30, 1 << 14], [1 << 14, 1], "torch.float32", "no memory"),
    ],
)
def test_wrong_tensors_are_refused(shape, stride, dtype, error):
    with pytest.raises((ValueError, TypeError, MemoryError), match=error):
        _core.host_tensor(shape, stride, dtype)


def test_threads():
    wrong = []

    def work():
        x = torch.randn(STEPS, NEURONS)
        expected = lif()(x).clone()
        for _ in range(20):
            if not torch.equal(lif()(x), expected):
                wrong.append(threading.get_ident())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def _child(queue):
    torch.set_num_threads(1)
    queue.put(lif()(torch.ones(STEPS, NEURONS)).sum().item())


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
def test_a_child_process_after_a_fork():
    expected = lif()(torch.ones(STEPS, NEURONS)).sum().item()
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_child, args=(queue,))
    child.start()
    assert queue.get(timeout=60) == expected
    child.join(timeout=60)
    assert child.exitcode == 0
