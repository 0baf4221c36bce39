import numpy as np
import pytest

from pipeline import store
from pipeline.errors import UserError
from pipeline.formats.shards import (
    CODES,
    LOGITS,
    Contents,
    Shard,
    Skipped,
    largest_before,
    mean,
    outputs,
    position,
    read_contents,
    value,
    write_shard,
    zeros,
)

RNG = np.random.default_rng(0)
VALUES, CONTENTS = (
    RNG.random((4, 3), np.float32),
    Contents(np.array([0, 1, 3, 5]), [Skipped(2, "zero bytes", "é")]),
)
ARRAYS = {
    CODES: RNG.random((4, 7), np.float32),
    LOGITS: RNG.random((4, 2), np.float32),
    value("relu"): VALUES,
    position("relu"): RNG.integers(0, 9, (4, 3, 2)).astype(np.uint16),
    mean("relu"): VALUES / 2,
    zeros("relu"): np.array([5, 0, 7]),
    outputs("relu"): np.array(64),
    largest_before("relu"): VALUES[0],
}


def shard(path, arrays=ARRAYS, code_layer="fc"):
    write_shard(
        path, arrays, CONTENTS, code_layer=code_layer, made_from={"recipe": "00"}, versions=("numpy",)
    )
    return Shard(path, np.array([10, 11, 13, 15]))


def test_what_is_written_is_read_back(tmp_path):
    found = shard(tmp_path / "part-0.h5")
    np.testing.assert_array_equal(found.codes(), ARRAYS[CODES])
    np.testing.assert_array_equal(found.logits(), ARRAYS[LOGITS])
    np.testing.assert_array_equal(found.means("relu"), ARRAYS[mean("relu")])
    for read, name in zip(found.maxima("relu"), (value("relu"), position("relu")), strict=True):
        assert read.dtype == ARRAYS[name].dtype
        np.testing.assert_array_equal(read, ARRAYS[name])
    statistics = found.statistics("relu")
    assert statistics.zeros.tolist() == [5, 0, 7]
    assert statistics.outputs == 64
    assert statistics.largest_before.tolist() == VALUES[0].tolist()
    assert found.code_width() == 7
    contents = read_contents(found.path)
    assert contents.offset.tolist() == CONTENTS.offset.tolist()
    assert contents.skipped == CONTENTS.skipped


def test_a_layer_without_pre_activation_has_none(tmp_path):
    arrays = {name: values for name, values in ARRAYS.items() if name != largest_before("relu")}
    assert shard(tmp_path / "part-0.h5", arrays).statistics("relu").largest_before is None


def test_a_code_that_is_a_layer_s_maxima_is_stored_once(tmp_path):
    arrays = ARRAYS | {CODES: VALUES}
    once = shard(tmp_path / "once.h5", arrays, code_layer="relu")
    twice = shard(tmp_path / "twice.h5", arrays, code_layer="other")
    np.testing.assert_array_equal(once.codes(), once.maxima("relu")[0])
    assert once.path.stat().st_size < twice.path.stat().st_size


def test_what_was_not_kept_is_named(tmp_path):
    found = shard(tmp_path / "part-0.h5", {CODES: VALUES})
    with pytest.raises(UserError, match=r"part-0\.h5: no dataset 'mean/relu'"):
        found.means("relu")


def test_a_shard_of_which_no_image_could_be_read(tmp_path):
    write_shard(
        tmp_path / "a.h5", {}, Contents(np.zeros(0, np.int64), CONTENTS.skipped), code_layer="x", made_from={}
    )
    assert read_contents(tmp_path / "a.h5").skipped == CONTENTS.skipped
    with store.read(tmp_path / "a.h5", version=None) as file:
        assert file.children() == ["offset", "skipped"]
