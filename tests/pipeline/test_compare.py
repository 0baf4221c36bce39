"""Two runs that differ in one thing each."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from pipeline import store
from pipeline.compare import compare, main

VALUE = np.arange(6, dtype=np.float32).reshape(2, 3)


def write_run(
    folder, *, value=VALUE, made_from="00", versions=(), attribute=3, names=("a", "bc"), shards=("p", "q")
):
    """Write a small run: an artifact, activations in two shards, a network, a metric, a plot, a picture."""
    for name in ("artifacts", "metrics", "plots", "code"):
        (folder / name).mkdir(parents=True)
    about = {"stage": "topk", "versions": versions, "made_from": {"params": made_from, "manifest": made_from}}
    with store.write(folder / "artifacts" / "topk.h5", **about, version=1) as file:
        file.put("relu/value", value)
        file.put_strings("names", list(names))
        file.set_attributes("relu", {"k": attribute})
    write_shards(folder / "artifacts" / "activations", value, shards)
    save_file({"weight": value}, folder / "artifacts" / "model.safetensors")
    (folder / "metrics" / "topk.json").write_text(json.dumps({"top": {"share": float(value[0, 1])}}))
    (folder / "plots" / "topk.csv").write_text(f"name,share\nx,{value[0, 1]}\ny,0\n")
    (folder / "artifacts" / "picture.png").write_bytes(b"png" + value.tobytes())
    (folder / "code" / "module.py").write_text(str(value))
    return folder


def write_shards(folder, value, names):
    for row, name in enumerate(names):
        with store.write(folder / f"part-{name}.h5", stage="extract", version=1) as file:
            file.put("maxima/relu/value", value[row : row + 1])
    with store.write(folder / "index.h5", stage="extract", version=1) as file:
        file.put("image_id", np.arange(len(names)))
        file.put_strings("shard/file", [f"part-{name}.h5" for name in names])
        file.put("shard/rows", np.ones(len(names), np.int64))
        file.set_attributes("maxima/relu", {"units": 3})
        file.set_attributes("", {"layers": ["relu"]})


@pytest.fixture
def first(tmp_path):
    return write_run(tmp_path / "first")


def lines(found):
    return [str(difference) for difference in found]


def test_equal_runs_do_not_differ(first, tmp_path, capsys):
    assert compare(first, write_run(tmp_path / "second")) == []
    assert main([str(first), str(tmp_path / "second")]) == 0
    assert capsys.readouterr() == ("nothing differs\n", "")


def test_a_changed_number_is_found_in_every_kind_of_file(first, tmp_path):
    changed = VALUE.copy()
    changed[0, 1] += 0.5
    second = write_run(tmp_path / "second", value=changed)
    assert lines(compare(first, second)) == [
        "artifacts/activations/shard 0.h5: maxima/relu/value: 1 of 3 differ, at most by 0.5",
        "artifacts/model.safetensors: weight: 1 of 6 differ, at most by 0.5",
        "artifacts/picture.png: other bytes",
        "artifacts/topk.h5: relu/value: 1 of 6 differ, at most by 0.5",
        "metrics/topk.json: top.share: 1 of 1 differ, at most by 0.5",
        "plots/topk.csv: share: 1 of 2 differ, at most by 0.5",
    ]
    assert main([str(first), str(second)]) == 1
    assert lines(compare(first, second, leave_out=["artifacts/*"])) == [
        "metrics/topk.json: top.share: 1 of 1 differ, at most by 0.5",
        "plots/topk.csv: share: 1 of 2 differ, at most by 0.5",
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"attribute": 4}, "relu@k: 1 of 1 differ, at most by 1"),
        ({"attribute": "four"}, "relu@k: int64 against <U4"),
        ({"names": ("a", "longer")}, "names: 1 of 2 differ, the first 'bc' against 'longer'"),
        ({"names": ("a",)}, "names: shape (2,) against (1,)"),
    ],
)
def test_attributes_and_text_and_shapes_are_told(first, tmp_path, changes, line):
    found = compare(first, write_run(tmp_path / "second", **changes))
    assert lines(found) == [f"artifacts/topk.h5: {line}"]


def test_another_type_of_numbers_is_told(first, tmp_path):
    found = compare(first, write_run(tmp_path / "second", value=VALUE.astype(np.float64)))
    assert "artifacts/topk.h5: relu/value: float32 against float64" in lines(found)


def test_nan_equals_nan(tmp_path):
    value = VALUE.copy()
    value[1, 2] = np.nan
    for name in ("a.h5", "b.h5"):
        with store.write(tmp_path / name, stage=name[0], version=1) as file:
            file.put("value", value)
    assert lines(compare(tmp_path / "a.h5", tmp_path / "b.h5")) == [
        "a.h5: @stage: 1 of 1 differ, the first 'a' against 'b'"
    ]


def test_versions_and_digests_of_params_are_counted_only(first, tmp_path, capsys):
    write_run(tmp_path / "second", made_from="1e5", versions=["numpy"])
    assert main([str(first), str(tmp_path / "second")]) == 1
    assert capsys.readouterr().out == (
        "artifacts/topk.h5: @digest_manifest: 1 of 1 differ, the first '00' against '1e5'\n"
    )
    assert main([str(first), str(tmp_path / "second"), "--ignore-digests"]) == 0
    assert "not held against it: 3 versions and digests" in capsys.readouterr().err


def test_shards_of_other_keys_are_paired_by_place(first, tmp_path):
    second = write_run(tmp_path / "second", shards=("q", "p"))
    assert [(found.file, found.name) for found in compare(first, second)] == [
        ("artifacts/activations/index.h5", "shard/file")
    ]
    assert main([str(first), str(second), "--ignore-digests"]) == 0


def test_what_only_one_has_is_told(first, tmp_path):
    second = write_run(tmp_path / "second")
    (second / "metrics" / "topk.json").write_text("{}")
    (second / "plots" / "topk.csv").unlink()
    assert lines(compare(first, second)) == [
        f"metrics/topk.json: top.share: only in {first}/metrics/topk.json",
        f"plots/topk.csv: only in {first}",
    ]


def test_what_is_not_there_or_damaged_is_one_line(first, tmp_path, capsys):
    assert main([str(first), str(tmp_path / "gone")]) == 2
    (write_run(tmp_path / "second") / "artifacts" / "topk.h5").write_bytes(b"not HDF5")
    assert main([str(first), str(tmp_path / "second")]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert "gone: no such file" in errors[0] and "topk.h5: cannot be opened as HDF5" in errors[1]
