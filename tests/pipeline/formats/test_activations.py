import numpy as np
import pytest

from pipeline import store
from pipeline.errors import UserError
from pipeline.formats import activations, shards
from pipeline.formats.activations import Index, KeptLayer, Skipped, open_activations, write_index
from pipeline.formats.geometry import LayerGeometry
from pipeline.numerics.geometry import ReceptiveField
from tests.small.artifacts import write_activations

RELU = KeptLayer("relu", "map", 3, LayerGeometry((8, 6), ReceptiveField((3, 5), (1, 2), (-1, 0), "bound")))
DENSE = KeptLayer("head", "dense", 2, LayerGeometry((1, 1), ReceptiveField((8, 6), (0, 0), (0, 0), "global")))
INDEX = Index((RELU, DENSE), "head", 9, "float32", 32, "cpu AVX2")
SKIPPED = [Skipped(3, "changed", "its bytes are others"), Skipped(8, "timeout", "é")]
ROWS = {"part-a.h5": np.array([0, 1, 2]), "part-b.h5": np.array([], np.int64), "part-c.h5": np.array([4, 7])}


@pytest.fixture
def folder(tmp_path):
    write_index(
        tmp_path, INDEX, list(ROWS.items()), SKIPPED, made_from={"weights": "ab"}, versions=("numpy",)
    )
    for name, image_id in ROWS.items():
        maxima = np.repeat(image_id[:, None], 3, axis=1).astype(np.float32)
        arrays = {
            shards.value("relu"): maxima,
            shards.position("relu"): np.ones((*maxima.shape, 2), np.uint16),
        }
        shards.write_shard(
            tmp_path / name, arrays, shards.Contents(image_id, []), code_layer="", made_from={}
        )
    return tmp_path


def test_what_is_written_is_read_back(folder):
    found = open_activations(folder)
    assert found.layers == ["relu", "head"]
    assert tuple(found.layer(name) for name in found.layers) == INDEX.layers
    assert found.skipped() == SKIPPED
    assert found.image_id.tolist() == [0, 1, 2, 4, 7]
    assert found.origin.made_from == {"weights": "ab"}
    assert found.attributes()["precision"] == "float32"


def test_shards_without_images_are_passed_over(folder):
    found = list(open_activations(folder).shards())
    assert [shard.path.name for shard in found] == ["part-a.h5", "part-c.h5"]
    values, positions = found[1].maxima("relu")
    assert values[:, 0].tolist() == found[1].image_id.tolist() == [4, 7]
    assert positions.shape == (2, 3, 2)


def test_the_library_s_call_reads_the_same(folder):
    found = store.open_activations(str(folder))
    assert found.layers == ["relu", "head"]
    assert found.read("maxima/relu/value")[:, 0].tolist() == [0, 1, 2, 4, 7]
    assert [shard.image_id.tolist() for shard in found.shards()] == [[0, 1, 2], [4, 7]]


def test_an_unknown_layer_is_named_with_the_known_ones(folder):
    with pytest.raises(UserError, match="no layer 'conv'; it has relu, head"):
        open_activations(folder).layer("conv")


@pytest.mark.parametrize(("name", "module"), [(activations.FILE, activations), ("part-a.h5", shards)])
def test_another_version_is_refused(folder, name, module):
    with store.write(folder / name, stage="extract", version=module.VERSION + 1):
        pass
    with pytest.raises(
        UserError,
        match=rf"{name}: format version {module.VERSION + 1}, not {module.VERSION}; run its stage again",
    ):
        next(open_activations(folder).shards()).maxima("relu")


@pytest.mark.parametrize("kept", [(), ("zeros",), ("mean",), ("zeros", "mean")])
def test_what_was_kept_is_known(tmp_path, kept):
    arrays = {shards.value("relu"): np.zeros((40, 4), np.float32)}
    if "zeros" in kept:
        arrays[shards.zeros("relu")] = np.zeros(40, np.int64)
    if "mean" in kept:
        arrays[shards.mean("relu")] = np.zeros((40, 4), np.float32)
    write_activations(tmp_path, **arrays)
    found = open_activations(tmp_path)
    assert (found.has_statistics, found.has_means) == ("zeros" in kept, "mean" in kept)
