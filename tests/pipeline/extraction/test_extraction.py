import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

from pipeline import store
from pipeline.dataset import originals
from pipeline.errors import UserError
from pipeline.extraction.computing import compute_missing
from pipeline.extraction.shard import compute_shard
from pipeline.formats.shards import read_contents
from pipeline.formats.weights import read_description
from pipeline.images.decoding import decode
from pipeline.images.guarded import decode_guarded
from pipeline.images.network_input import normalise, prepare
from pipeline.model.network import load_network
from pipeline.shards.pool import ShardPool
from tests.small.deadly import decode_or_die
from tests.small.extraction import extract_small, make_manifest, plan, write_images
from tests.small.files import bytes_below

PROJECT = Path(__file__).parents[3]
KILLED = """
import sys; sys.path[:0] = {paths!r}
from pathlib import Path
from tests.small.deadly import decode_or_die
from tests.small.extraction import extract_small
if __name__ == "__main__":
    extract_small(Path("manifest.h5"), Path("weights"), Path("activations"))
"""


@pytest.fixture(scope="module")
def made(inputs, workers):
    """The inputs, and the activations of one undisturbed run."""
    extract_small(inputs / "manifest.h5", inputs / "weights", inputs / "activations")
    return inputs


@pytest.fixture
def place(made, tmp_path, monkeypatch):
    """The same inputs with a pool and an output of their own."""
    monkeypatch.setenv("CONVATLAS_SHARDS", str(tmp_path / "pool"))
    monkeypatch.setenv("CONVATLAS_DEVICE", "cpu")
    return tmp_path


def run(made, place, **changes):
    extract_small(made / "manifest.h5", made / "weights", place / "activations", **changes)


def plain_forward(made):
    """Every activation of AlexNet-like features by plain PyTorch, shard by shard in the same batches."""
    network = load_network(made / "weights").to(memory_format=torch.channels_last)
    preprocessing = read_description(made / "weights").preprocessing
    planned = plan(made / "manifest.h5", made / "weights")
    with store.read(made / "manifest.h5", version=None) as manifest:
        paths = manifest.strings("path")
    parts = {}
    torch.set_num_threads(1)
    for rows in (shard.rows for shard in planned.shards):
        for start in range(rows.start, rows.stop, 4):
            files = [made / "dataset" / path for path in paths[start : min(start + 4, rows.stop)]]
            pixels = np.stack([prepare(decode(file.read_bytes()), preprocessing) for file in files])
            x = torch.from_numpy(normalise(pixels, preprocessing)).contiguous(
                memory_format=torch.channels_last
            )
            with torch.inference_mode():
                for name, layer in network.features.named_children():
                    x = layer(x)
                    parts.setdefault(f"features.{name}", []).append(x.clone())
                x = network.classifier[1](network.classifier[0](x.flatten(1)))
                parts.setdefault("classifier.1", []).append(x)
                parts.setdefault("logits", []).append(network.classifier[2](x))
    return {name: torch.cat(values) for name, values in parts.items()}


def test_numbers_are_exactly_those_of_plain_pytorch_in_the_same_batches(made):
    found, expected = store.open_activations(made / "activations"), plain_forward(made)
    assert found.layers == [f"features.{n}" for n in (1, 2, 4, 5, 7, 8)] + ["classifier.1"]
    np.testing.assert_array_equal(found.read("logits"), expected["logits"])
    np.testing.assert_array_equal(found.read("codes"), expected["classifier.1"])
    with h5py.File(next(shard.path for shard in found.shards())) as file:
        assert file["codes"] == file["maxima/classifier.1/value"], "the same numbers are stored once"
    for name in found.layers[:-1]:
        flat = expected[name].flatten(2)
        peak = flat.amax(-1)
        first = (flat == peak[..., None]).int().argmax(-1)
        width = expected[name].shape[3]
        np.testing.assert_array_equal(found.read(f"maxima/{name}/value"), peak)
        position = torch.stack([first // width, first % width], -1)
        np.testing.assert_array_equal(found.read(f"maxima/{name}/position"), position)
        zeros = sum(shard.read(f"stats/{name}/zeros") for shard in found.shards())
        assert zeros.tolist() == (expected[name] == 0).sum((0, 2, 3)).tolist()


def test_shards_carry_the_geometry_of_their_layers(made):
    found = store.open_activations(made / "activations").attributes("features.5")
    assert found["rf_size"].tolist() == [12, 12]
    assert found["rf_stride"].tolist() == [4, 4]
    assert found["rf_start"].tolist() == [-4, -4]
    assert (found["rf_status"], found["map_size"].tolist(), found["units"]) == ("exact", [8, 8], 32)


def test_another_number_of_workers_gives_equal_bytes(made, place, monkeypatch):
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS")
    monkeypatch.setenv("CONVATLAS_WORKERS", "1")
    run(made, place)
    assert bytes_below(place / "activations") == bytes_below(made / "activations")


def test_other_batches_change_values_by_rounding_alone(made, place):
    run(made, place, batch_size=7)
    one, other = (store.open_activations(folder / "activations") for folder in (made, place))
    np.testing.assert_allclose(one.read("codes"), other.read("codes"), rtol=1e-5, atol=1e-6)


def test_finished_shards_are_linked_and_not_computed_again(made, place, monkeypatch):
    shutil.copytree(made / "pool", place / "pool")
    monkeypatch.setattr("pipeline.extraction.computing.compute_shard", lambda job: pytest.fail("computed"))
    run(made, place)
    assert bytes_below(place / "activations") == bytes_below(made / "activations")
    for shard in (place / "activations").glob("part-*"):
        assert shard.stat().st_ino == (place / "pool" / shard.name).stat().st_ino


def test_a_worker_with_another_processor_is_refused_by_name(made, place, monkeypatch):
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "OF ANOTHER KIND")
    with pytest.raises(UserError, match=r"worker tcp://.*: computes with .* OF ANOTHER KIND"):
        run(made, place)


def test_folders_of_equal_images_are_computed_once(made, place):
    write_images(place / "dataset", 12)
    for number in range(4):
        shutil.copytree(place / "dataset" / "0", place / "dataset" / f"copy-{number}")
    make_manifest(place / "dataset", place / "manifest.h5")
    extract_small(place / "manifest.h5", made / "weights", place / "activations")
    found = store.open_activations(place / "activations")
    assert found.image_id.tolist() == list(range(12 + 4 * 4))
    assert found.count > len(list((place / "activations").glob("part-*")))
    codes = found.read("codes")
    np.testing.assert_array_equal(codes[-4:], codes[-8:-4])


def test_a_killed_run_keeps_finished_shards_and_resumes(made, place):
    for name in ("manifest.h5", "weights"):
        os.symlink(made / name, place / name)
    paths = [str(PROJECT)]
    (place / "killed.py").write_text(KILLED.format(paths=paths))
    environment = {name: value for name, value in os.environ.items() if name != "DASK_SCHEDULER_ADDRESS"}
    environment["CONVATLAS_WORKERS"] = "1"
    process = subprocess.Popen([sys.executable, "killed.py"], cwd=place, env=environment)
    wait_for(lambda: list((place / "pool").glob("part-*.h5")) or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(1)
    finished = {path.name: path.stat().st_ino for path in (place / "pool").glob("part-*.h5")}
    assert finished
    run(made, place)
    assert bytes_below(place / "activations") == bytes_below(made / "activations")
    assert {name: (place / "pool" / name).stat().st_ino for name in finished} == finished


def test_neighbours_added_and_removed_give_what_a_run_from_nothing_gives(made, place, monkeypatch):
    shutil.copytree(made / "dataset", place / "dataset")
    shutil.copytree(made / "pool", place / "pool")
    for number in range(6):
        shutil.copy(made / "dataset" / "1" / "0007.png", place / "dataset" / "1" / f"0013-{number}.png")
    (place / "dataset" / "1" / "0016.png").unlink()
    make_manifest(place / "dataset", place / "manifest.h5")
    before = set(os.listdir(place / "pool"))
    extract_small(place / "manifest.h5", made / "weights", place / "resumed")
    assert 1 <= len(set(os.listdir(place / "pool")) - before) <= 4
    monkeypatch.setenv("CONVATLAS_SHARDS", str(place / "other"))
    extract_small(place / "manifest.h5", made / "weights", place / "fresh")
    assert bytes_below(place / "resumed") == bytes_below(place / "fresh")


def test_a_changed_image_is_left_out_said_and_not_taken_for_finished(made, place, caplog):
    shutil.copytree(made / "dataset", place / "dataset")
    make_manifest(place / "dataset", place / "manifest.h5")
    changed, gone = place / "dataset" / "0" / "0003.png", place / "dataset" / "2" / "0005.png"
    original = changed.read_bytes(), gone.read_bytes()
    Image.new("RGB", (12, 10)).save(changed)
    gone.unlink()
    extract_small(place / "manifest.h5", made / "weights", place / "activations")
    with store.read(place / "activations" / "index.h5", version=None) as index:
        assert index.strings("skipped/reason") == ["changed", "missing"]
        assert index.get("image_id").tolist() == [
            n for n in range(60) if n not in index.get("skipped/image_id")
        ]
    assert len(store.open_activations(place / "activations").read("codes")) == 58
    changed.write_bytes(original[0])
    gone.write_bytes(original[1])
    extract_small(place / "manifest.h5", made / "weights", place / "activations")
    parts = {name: data for name, data in bytes_below(made / "activations").items() if name != "index.h5"}
    assert {n: d for n, d in bytes_below(place / "activations").items() if n != "index.h5"} == parts


def compute_or_die(job):
    """Compute a shard as a worker whose decoder ends its process at a black image."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(originals, "decode", decode_or_die)
        guarded = partial(decode_guarded, decoder=f"{decode_or_die.__module__}:decode_or_die")
        patch.setattr(originals, "decode_guarded", guarded)
        return compute_shard(job)


def test_an_image_that_ends_its_workers_is_found_and_left_out_and_no_other(made, place):
    write_images(place / "dataset", 12)
    Image.new("RGB", (12, 10)).save(place / "dataset" / "0" / "0003.png")
    make_manifest(place / "dataset", place / "manifest.h5")
    (place / "pool").mkdir()
    files = compute_missing(
        plan(place / "manifest.h5", made / "weights"), place / "manifest.h5", ShardPool(place / "pool"),
        label="extracting", compute=compute_or_die,
    )  # fmt: skip
    found = [read_contents(file) for file in files]
    ((_, reason, message),) = [item for contents in found for item in contents.skipped]
    assert reason == "crashed" and "SIGKILL" in message
    assert sum(len(contents.offset) for contents in found) == 11
    assert sum(file.name.startswith("partial-") for file in files) == 1


def test_too_many_bad_images_fail_and_leave_the_earlier_output(made, place):
    shutil.copytree(made / "dataset", place / "dataset")
    make_manifest(place / "dataset", place / "manifest.h5", max_bad_fraction=0.01)
    (place / "activations").mkdir()
    (place / "dataset" / "0" / "0003.png").unlink()
    with pytest.raises(
        UserError, match=r"1 of 60 images could not be read, more than dataset.max_bad_fraction"
    ):
        extract_small(place / "manifest.h5", made / "weights", place / "activations")
    assert list((place / "activations").iterdir()) == []


def test_too_little_disk_is_refused_before_the_work(made, place, monkeypatch):
    usage = shutil.disk_usage(place)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(UserError, match="0.0 GB needed, 0.0 GB free; free some"):
        run(made, place)


def test_the_key_follows_weights_params_and_source(made, place, monkeypatch):
    def keys(**changes):
        return {shard.key for shard in plan(made / "manifest.h5", made / "weights", **changes).shards}

    first = keys()
    assert first == keys()
    for changes in ({"batch_size": 5}, {"layers": ("features.1",)}, {"statistics": False}, {"means": True}):
        assert not first & keys(**changes)
    monkeypatch.setattr("pipeline.extraction.recipe.core_digest", lambda modules: "edited")
    assert not first & keys()


def test_maxima_of_a_chosen_layer(made, place):
    run(made, place, layers=("features.[14]", "classifier.1"), means=True, statistics=False)
    found = store.open_activations(place / "activations")
    assert found.layers == ["features.1", "features.4", "classifier.1"]
    everything = store.open_activations(made / "activations")
    np.testing.assert_array_equal(
        found.read("maxima/features.4/value"), everything.read("maxima/features.4/value")
    )
    assert found.read("mean/features.4").shape == (60, 32)


def test_the_pool_is_where_the_environment_says(place):
    assert ShardPool().folder == place / "pool"


def wait_for(condition):
    end = time.monotonic() + 200
    while not condition():
        assert time.monotonic() < end, "waited 200 s"
        time.sleep(0.02)


def test_the_same_images_as_folder_csv_and_tar_give_the_same_numbers(made, place):
    """Paths in a tar file are other ones, and so are its shards: batches of one image do not feel it."""
    with store.read(made / "manifest.h5", version=None) as manifest:
        paths = manifest.strings("path")
    lines = [f"{path},{path.split('/')[0]}" for path in paths]
    (made / "dataset.csv").write_text("\n".join(["# root: dataset", "path,label", *lines]) + "\n")
    (place / "tars").mkdir()
    with tarfile.open(place / "tars" / "all.tar", "w") as tar:
        for path in paths:
            tar.add(made / "dataset" / path, arcname=path)
    found = {}
    for name, dataset in (
        ("folder", made / "dataset"), ("csv", made / "dataset.csv"), ("tar", place / "tars"),
    ):  # fmt: skip
        make_manifest(dataset, place / f"{name}.h5")
        extract_small(place / f"{name}.h5", made / "weights", place / name, batch_size=1)
        found[name] = store.open_activations(place / name)
    for layer in found["folder"].layers:
        for array in ("codes", f"maxima/{layer}/value", f"maxima/{layer}/position"):
            expected = found["folder"].read(array)
            np.testing.assert_array_equal(found["csv"].read(array), expected)
            np.testing.assert_array_equal(found["tar"].read(array), expected)
