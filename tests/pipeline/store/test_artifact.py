import fcntl
import sys
import threading

import h5py
import numpy as np
import pytest

from pipeline import store
from pipeline.errors import UserError
from pipeline.store.activations import INDEX_VERSION, SHARD_VERSION


def written(path, **arrays):
    with store.write(
        path, stage="test", made_from={"manifest": "ab"}, versions=("numpy",), version=1
    ) as file:
        for name, values in arrays.items():
            file.put(name, values)
    return path


@pytest.mark.parametrize(
    "values",
    [
        np.arange(100_000, dtype=np.float32),
        np.zeros((0, 3), np.int64),
        np.array(5, np.int32),
        np.ones((4, 2, 2), bool),
        np.zeros((100_000, 2), np.uint16),
        np.array(0, np.int64),
        np.array([0.0, -0.0], np.float32),
    ],
)
def test_arrays_come_back(tmp_path, values):
    with store.read(written(tmp_path / "a.h5", x=values), version=1) as file:
        found = file.get("x")
        assert found.dtype == values.dtype
        assert found.shape == values.shape
        assert found.tobytes() == values.tobytes()


def test_every_group_and_dataset_is_listed(tmp_path):
    with store.write(tmp_path / "a.h5", stage="test", version=1) as file:
        file.put("maxima/relu/value", np.zeros(3))
        file.set_attributes("empty", {"k": 1})
    with store.read(tmp_path / "a.h5", version=1) as file:
        assert file.nodes() == {
            "empty": False,
            "maxima": False,
            "maxima/relu": False,
            "maxima/relu/value": True,
        }


def test_integers_that_are_all_zero_take_no_room(tmp_path):
    zeros = written(tmp_path / "zeros.h5", x=np.zeros((1 << 20, 2), np.int64))
    assert zeros.stat().st_size < 10_000


def test_an_array_has_a_second_name(tmp_path):
    values = np.random.default_rng(0).random((1000, 8))
    alone = written(tmp_path / "alone.h5", x=values)
    with store.write(tmp_path / "a.h5", stage="test", version=1) as file:
        file.put("group/x", values)
        file.link("y", "group/x")
    with store.read(tmp_path / "a.h5", version=1) as file:
        np.testing.assert_array_equal(file.get("y", slice(3, 5)), values[3:5])
        np.testing.assert_array_equal(file.get("group/x"), values)
    assert (tmp_path / "a.h5").stat().st_size < alone.stat().st_size + 5000


def test_neither_writing_nor_reading_takes_a_lock(tmp_path):
    """Where a file system has none, HDF5 would refuse to open; here another process holds it."""
    exclusive = fcntl.LOCK_EX | fcntl.LOCK_NB
    with store.write(tmp_path / "a.h5", stage="test", version=1) as file:
        file.put("x", np.arange(3))
        (unfinished,) = tmp_path.iterdir()
        with unfinished.open() as beside:
            fcntl.flock(beside, exclusive)
    with (tmp_path / "a.h5").open() as beside:
        fcntl.flock(beside, exclusive)
        with store.read(tmp_path / "a.h5", version=1) as found:
            assert found.get("x").tolist() == [0, 1, 2]


def test_strings_come_back(tmp_path):
    strings = ["", "é<script>", "a\nb", "x" * 300]
    with store.write(tmp_path / "a.h5", stage="test", version=1) as file:
        file.put_strings("s", strings)
        file.put_strings("none", [])
    with store.read(tmp_path / "a.h5", version=1) as file:
        assert file.strings("s") == strings
        assert file.strings("s", slice(1, 2)) == strings[1:2]
        assert file.strings("none") == []


def test_attributes_come_back_as_plain_values(tmp_path):
    with store.write(tmp_path / "a.h5", stage="test", version=1) as file:
        file.set_attributes(
            "g/layer", {"size": (3, 5), "status": "exact", "share": 0.5, "names": ["a", "bé"], "k": 9}
        )
    with store.read(tmp_path / "a.h5", version=1) as file:
        found = file.attributes("g/layer")
    assert found.pop("size").tolist() == [3, 5]
    assert found == {"status": "exact", "share": 0.5, "names": ["a", "bé"], "k": 9}


def test_equal_inputs_give_equal_bytes(tmp_path):
    values = np.random.default_rng(0).normal(size=(3000, 40))
    first, second = (written(tmp_path / name, x=values) for name in ("a.h5", "b.h5"))
    assert first.read_bytes() == second.read_bytes()


def test_rows_written_in_slices(tmp_path):
    with store.write(tmp_path / "a.h5", stage="test", version=1) as file:
        dataset = file.allocate("x", (10, 2), np.int64)
        for start in range(0, 10, 3):
            dataset[start : start + 3] = np.arange(20).reshape(10, 2)[start : start + 3]
    with store.read(tmp_path / "a.h5", version=1) as file:
        assert file.get("x").ravel().tolist() == list(range(20))
        assert file.get("x", slice(8, 12)).ravel().tolist() == list(range(16, 20))


def test_some_rows_are_read_as_they_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(store.reading, "ROWS_AT_ONCE", 4)
    values = np.arange(30).reshape(15, 2)
    with store.write(tmp_path / "x.h5", stage="x", version=1) as file:
        file.put("values", values)
        file.put_strings("names", [f"n{row}" for row in range(15)])
    with store.read(tmp_path / "x.h5", version=1) as file:
        for rows in ([14, 3, 3, 0, 9], [], [5]):
            wanted = np.array(rows, np.int64)
            np.testing.assert_array_equal(file.take("values", wanted), values[wanted])
        assert file.take("names", np.array([12, 4])).tolist() == [b"n12", b"n4"]


def test_what_was_there_stays_when_writing_fails(tmp_path):
    path = written(tmp_path / "a.h5", x=np.arange(3))
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError), store.write(path, stage="test", version=1) as file:
        file.put("x", np.arange(4))
        raise ZeroDivisionError
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["a.h5"]


def test_a_full_disk_is_the_users_to_mend(tmp_path):
    with (
        pytest.raises(UserError, match="No space left"),
        store.write(tmp_path / "a.h5", stage="test", version=1),
    ):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_another_kind_is_not_taken_for_a_full_disk(tmp_path):
    with pytest.raises(FileNotFoundError), store.write(tmp_path / "a.h5", stage="test", version=1):
        (tmp_path / "missing").read_bytes()


def test_unfinished_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(3)
    with pytest.raises(UserError, match="not written to its end"), store.read(tmp_path / "a.h5", version=1):
        pass


def test_another_version_is_refused(tmp_path):
    path = written(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["schema_version"] = 99
    with pytest.raises(UserError, match="format version 99"), store.read(path, version=1):
        pass


def test_a_flipped_bit_is_an_error_that_names_file_and_dataset(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8)
    path = written(tmp_path / "a.h5", x=values)
    with h5py.File(path) as file:
        place = file["x"].id.get_chunk_info(0).byte_offset
    data = bytearray(path.read_bytes())
    data[place + 100] ^= 1
    path.write_bytes(data)
    with store.read(path, version=1) as file, pytest.raises(UserError, match=r"a\.h5: 'x' is damaged"):
        file.get("x")


@pytest.mark.parametrize("fill", [b"\0", b"\xff"])
def test_a_block_that_was_lost_is_an_error_that_names_the_file(tmp_path, fill):
    path = written(tmp_path / "a.h5", **{"group/x": np.arange(3)})
    whole, damaged = path.read_bytes(), 0
    for start in range(0, len(whole), 256):
        block = len(whole[start : start + 256])
        path.write_bytes(whole[:start] + fill * block + whole[start + block :])
        try:
            with store.read(path, version=1) as file:
                assert file.attributes()["stage"] == "test"
                assert file.children("group") == ["x"]
                assert file.get("group/x").tolist() == [0, 1, 2]
        except UserError as error:
            assert str(path) in str(error)
            damaged += "is damaged" in str(error)
    assert damaged > 1


@pytest.mark.parametrize("link", [h5py.ExternalLink("other.h5", "/x"), h5py.SoftLink("/elsewhere")])
def test_links_are_refused(tmp_path, link):
    path = written(tmp_path / "a.h5", x=np.arange(3))
    with h5py.File(path, "r+") as file:
        file["link"] = link
    with pytest.raises(UserError, match="is a link"), store.read(path, version=1):
        pass


def test_external_storage_is_refused(tmp_path):
    path = written(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        file.create_dataset("x", (4,), "u1", external=[("/etc/hostname", 0, 4)])
    with pytest.raises(UserError, match="data in another file"), store.read(path, version=1):
        pass


def test_missing_things_are_named(tmp_path):
    with pytest.raises(UserError, match="no such file"), store.read(tmp_path / "none.h5", version=1):
        pass
    (tmp_path / "text.h5").write_text("not HDF5")
    with pytest.raises(UserError, match="cannot be opened"), store.read(tmp_path / "text.h5", version=1):
        pass
    with (
        store.read(written(tmp_path / "a.h5"), version=1) as file,
        pytest.raises(UserError, match="no dataset 'y'"),
    ):
        file.get("y")


def activations(folder):
    folder.mkdir()
    for name, rows in (("part-a.h5", [[1.0], [2.0]]), ("part-b.h5", [[3.0]])):
        with store.write(folder / name, stage="test", version=SHARD_VERSION) as file:
            file.put("codes", np.array(rows, np.float32))
    with store.write(folder / "index.h5", stage="test", version=INDEX_VERSION) as file:
        file.set_attributes("", {"layers": ["relu", "pool"]})
        for layer in ("relu", "pool"):
            file.set_attributes(f"maxima/{layer}", {"map_size": (4, 4)})
        file.put("image_id", np.array([0, 2, 7]))
        file.put("shard/rows", np.array([2, 1]))
        file.put_strings("shard/file", ["part-a.h5", "part-b.h5"])
    return store.open_activations(folder)


def test_shards_are_read_as_one(tmp_path):
    found = activations(tmp_path / "activations")
    assert found.layers == ["relu", "pool"]
    assert found.image_id.tolist() == [0, 2, 7]
    assert found.read("codes").ravel().tolist() == [1.0, 2.0, 3.0]
    assert [shard.image_id.tolist() for shard in found.shards()] == [[0, 2], [7]]
    assert found.attributes("pool")["map_size"].tolist() == [4, 4]


def test_an_unknown_layer_is_named_with_the_known_ones(tmp_path):
    with pytest.raises(UserError, match="no layer 'conv'; it has relu, pool"):
        activations(tmp_path / "activations").attributes("conv")


def test_a_profiler_does_not_change_the_bytes(tmp_path):
    """Dask's profiler keeps frames alive, and with them the dataset that a frame was writing."""
    values = {
        f"x{number}": np.random.default_rng(number).normal(size=(40, number + 1)) for number in range(30)
    }
    expected = written(tmp_path / "a.h5", **values).read_bytes()
    done = threading.Event()

    def sample():
        while not done.is_set():
            frames = sys._current_frames()
            done.wait(0.001)
            del frames

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        assert all(written(tmp_path / "b.h5", **values).read_bytes() == expected for _ in range(5))
    finally:
        done.set()
        sampler.join()


def test_a_file_is_searched_for_links_once_and_again_when_it_was_changed(tmp_path, monkeypatch):
    searched, get = [], h5py.Group.get

    def spy(group, name, default=None, *, getlink=False):
        searched.extend([name] if getlink else [])
        return get(group, name, default, getlink=getlink)

    monkeypatch.setattr(h5py.Group, "get", spy)
    for content in (1, 2):
        with store.write(tmp_path / "a.h5", stage="test", version=1) as file:
            file.put("x", np.full(3, content))
        for _ in range(3):
            with store.read(tmp_path / "a.h5", version=1) as found:
                assert found.get("x").tolist() == [content] * 3
        assert searched == ["x"] * content
