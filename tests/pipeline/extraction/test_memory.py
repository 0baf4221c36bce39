"""Memory of the pass: measured, said, refused."""

import re
from types import SimpleNamespace

import pytest
import torch

from pipeline.errors import UserError
from pipeline.extraction import computing, memory
from pipeline.extraction.cost import row_bytes
from pipeline.extraction.memory import Peak, measure, need
from tests.small.extraction import extract_small, plan, recipe


@pytest.fixture
def place(inputs, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVATLAS_SHARDS", str(tmp_path / "pool"))
    monkeypatch.setenv("CONVATLAS_DEVICE", "cpu")
    monkeypatch.setenv("CONVATLAS_WORKERS", "1")
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
    return tmp_path


def run(inputs, place):
    extract_small(inputs / "manifest.h5", inputs / "weights", place / "activations")


def test_larger_batches_take_more(inputs, place):
    small, large = (measure(recipe(inputs / "weights", batch_size=size)) for size in (1, 2048))
    # Half of the input, 3 x 32 x 32 float32, and of the first layer's 32 maps of that size: the rest may fit
    # into what earlier tests left free in this process.
    assert large.process - small.process > 2047 * (3 + 32) * 32 * 32 * 4 / 2
    assert large.gpu == 0


def test_a_shard_is_held_twice(inputs, place):
    planned = plan(inputs / "manifest.h5", inputs / "weights")
    largest = max(shard.images for shard in planned.shards)
    rows = 2 * largest * row_bytes(planned.recipe)
    assert need(planned, Peak(process=1000, without=600, gpu=0)) == 600 + 2 * 400 + rows


def test_memory_is_announced(inputs, place, monkeypatch):
    lines = []
    monkeypatch.setattr(memory.log, "info", lambda text, *values: lines.append(text % values))
    run(inputs, place)
    said = r"memory: about (\S+) GB a process, (\S+) GB for 1; (\S+) GB are available"
    found = re.search(said, lines[0])
    assert found and 0.1 < float(found[1]) == float(found[2]) < 2


def test_too_little_memory_is_refused_naming_the_batch_size(inputs, place, monkeypatch):
    monkeypatch.setattr(computing, "available", lambda: 50_000_000)
    refused = r"extract.batch_size is 4: a process takes about .* GB, 0.1 GB are available; lower"
    with pytest.raises(UserError, match=refused):
        run(inputs, place)
    assert not (place / "activations").exists()


def test_memory_that_cannot_be_had_is_one_line(inputs, place, monkeypatch):
    def run_out(_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes wanted\nframe #0")

    monkeypatch.setattr("pipeline.extraction.reduction.Reducer.run", lambda self, inputs: run_out(inputs))
    said = r"batch_size is 4: DefaultCPUAllocator: .* 9 bytes wanted; lower extract.batch_size"
    with pytest.raises(UserError, match=said) as error:
        measure(recipe(inputs / "weights"))
    assert "frame" not in str(error.value)


def test_a_full_gpu_is_left_to_the_words_that_every_stage_has_for_it(inputs, monkeypatch):
    def run_out(_self, _inputs):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr("pipeline.extraction.reduction.Reducer.run", run_out)
    with pytest.raises(torch.OutOfMemoryError):
        measure(recipe(inputs / "weights"))


def with_gpus(monkeypatch, *sizes):
    monkeypatch.setattr("torch.cuda.device_count", lambda: len(sizes))
    monkeypatch.setattr(
        "torch.cuda.get_device_properties", lambda number: SimpleNamespace(total_memory=sizes[number] << 30)
    )


@pytest.mark.parametrize(
    ("device", "gpus", "given", "free", "expected"),
    [
        ("cpu", (), None, None, 16),
        ("cuda", (80,), None, None, 16),
        ("cuda", (24,), None, None, 6),
        ("cuda", (80,), None, 8 << 30, 4),
        ("cuda", (12, 12), None, None, 6),
        ("cuda", (2, 2, 2), None, 1, 3),
        ("cuda", (24,), "12", None, 12),
    ],
)
def test_processes_share_gpus_as_far_as_they_fit(monkeypatch, device, gpus, given, free, expected):
    monkeypatch.setattr(computing, "count_workers", lambda: int(given or 16))
    with_gpus(monkeypatch, *gpus)
    if given:
        monkeypatch.setenv("CONVATLAS_WORKERS", given)
    else:
        monkeypatch.delenv("CONVATLAS_WORKERS", raising=False)
    assert computing.processes(device, free) == expected


def test_more_processes_than_a_gpu_holds_are_refused(monkeypatch):
    with_gpus(monkeypatch, 8, 24)
    memory.check_gpus(64, workers=5, each=2 << 30)
    said = r"batch_size is 64: 4 processes take about 8.6 GB of a GPU of 8.6 GB; .* or CONVATLAS_WORKERS"
    with pytest.raises(UserError, match=said):
        memory.check_gpus(64, workers=7, each=(2 << 30) + 1)
