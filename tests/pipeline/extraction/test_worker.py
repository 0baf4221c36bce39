import ast
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.extraction import worker
from pipeline.extraction.worker import choose_device, gpu_number
from tests.dependencies import Sources

PIPELINE = Path(worker.__file__).parents[1]
SOURCES = Sources(PIPELINE.parent)


def test_the_sources_of_a_shards_key_are_all_that_the_worker_imports():
    found = {
        name.removeprefix("pipeline.")
        for name in SOURCES.closure("pipeline.extraction.worker")
        if SOURCES.files[name].name != "__init__.py"
    }
    assert sorted(found) == sorted([*worker.SOURCES, *worker.WITHOUT_EFFECT])


def test_every_passing_reason_is_one_that_reading_gives():
    given = {"changed"} | {
        node.args[0].value
        for name in (
            "images/decoding",
            "images/image_file",
            "dataset/dataset",
            "dataset/tars",
            "dataset/originals",
        )
        for node in ast.walk(ast.parse((PIPELINE / f"{name}.py").read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ImageError"
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    assert set(worker.PASSING) - {"unreadable"} <= given


@pytest.mark.parametrize(("value", "message"), [("gpu", "must be cpu, cuda or auto"), ("cuda", "no GPU")])
def test_a_device_that_is_not_there_is_refused(monkeypatch, value, message):
    monkeypatch.setenv("CONVATLAS_DEVICE", value)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match=message):
        choose_device()


@pytest.mark.parametrize(
    ("value", "gpu", "device"), [("", True, "cuda"), ("auto", False, "cpu"), ("cpu", True, "cpu")]
)
def test_a_gpu_is_taken_where_there_is_one_unless_told(monkeypatch, value, gpu, device):
    monkeypatch.setenv("CONVATLAS_DEVICE", value)
    monkeypatch.setattr("torch.cuda.is_available", lambda: gpu)
    assert choose_device() == device


def test_local_workers_share_out_the_gpus():
    assert [gpu_number(name, 2) for name in (0, 1, 2, "3", "tcp://host:1", "gpu-1")] == [0, 1, 0, 1, 0, 0]
