import numpy as np

from pipeline.formats.probes import VERSION, Probes, read_pictured, read_pictures, read_probes, write_probes
from pipeline.formats.status import not_run, write_status

PROBES = Probes(
    np.array([7, 2, 5]), path=("a/7.png", "b/ü.png", "c/5.png"), split=("test", "train", "test"),
    label=np.array([1, 0, -1], np.int32), predicted=np.array([1, 2, 0], np.int32),
    probability=np.array([0.9, 0.5, 0.25], np.float32), named=np.array([True, False, False]), held_out="test",
)  # fmt: skip
PICTURES = np.arange(3 * 4 * 5 * 3, dtype=np.uint8).reshape(3, 4, 5, 3)


def test_probes_and_their_pictures_come_back(tmp_path):
    write_probes(tmp_path / "probes.h5", PROBES, PICTURES, made_from={})
    found = read_probes(tmp_path / "probes.h5")
    for name, value in vars(PROBES).items():
        if isinstance(value, np.ndarray):
            assert getattr(found, name).dtype == value.dtype
            np.testing.assert_array_equal(getattr(found, name), value)
        else:
            assert getattr(found, name) == value
    np.testing.assert_array_equal(read_pictures(tmp_path / "probes.h5"), PICTURES)
    pictured = read_pictured(tmp_path / "probes.h5")
    assert [(image_id, one.image_id, one.path) for image_id, one in pictured.items()] == [
        (7, 7, "a/7.png"), (2, 2, "b/ü.png"), (5, 5, "c/5.png"),
    ]  # fmt: skip
    np.testing.assert_array_equal(pictured[2].pixels, PICTURES[1])


def test_without_a_label_a_probe_is_neither_right_nor_wrong():
    assert PROBES.right.tolist() == [True, False, False]
    assert PROBES.wrong.tolist() == [False, True, False]


def test_a_status_comes_back(tmp_path):
    write_status(tmp_path / "probes.h5", not_run("probes"), stage="probes", version=VERSION)
    assert read_probes(tmp_path / "probes.h5") == not_run("probes")
    assert read_pictured(tmp_path / "probes.h5") == {}
