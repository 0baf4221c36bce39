import numpy as np
import pytest

from pipeline.analyses.directions.given import read_given
from pipeline.errors import UserError
from pipeline.formats.concepts import About, LayerConcepts, write_concepts

UNITS = {"conv": 3, "block.fc": 2}
MATRIX = np.array([[3.0, 0, 4], [0, 2, 0]])


def put(folder, layer, name, **arrays):
    (folder / layer).mkdir(parents=True, exist_ok=True)
    if name.endswith(".npz"):
        np.savez(folder / layer / name, **arrays)
    else:
        np.save(folder / layer / name, *arrays.values())


def test_vectors_matrices_keys_and_names_are_read_in_order(tmp_path):
    (tmp_path / ".gitkeep").touch()
    put(tmp_path, "conv", "b.npy", rows=MATRIX)
    put(tmp_path, "conv", "a.npy", row=np.array([0, 0, -5]))
    put(tmp_path, "conv", "c.npz", blue=MATRIX[0], grey=MATRIX)
    put(tmp_path, "block.fc", "d.npz", weight=np.eye(2), names=np.array(["cat", "dog"]))
    found = read_given(tmp_path, UNITS)
    assert list(found) == ["conv", "block.fc"]
    assert found["conv"].names == ("a", "b 1", "b 2", "blue", "grey 1", "grey 2")
    expected = [[0, 0, -1], [0.6, 0, 0.8], [0, 1, 0], [0.6, 0, 0.8], [0.6, 0, 0.8], [0, 1, 0]]
    np.testing.assert_allclose(found["conv"].direction, expected, rtol=1e-6)
    assert found["block.fc"].names == ("cat", "dog")
    np.testing.assert_array_equal(found["block.fc"].direction, np.eye(2))


def test_a_layer_may_have_a_slash_and_an_empty_folder_gives_none(tmp_path):
    assert read_given(tmp_path, UNITS) == {}
    put(tmp_path, "conv1/3x3", "a.npy", row=np.ones(4))
    assert read_given(tmp_path, {"conv1/3x3": 4})["conv1/3x3"].names == ("a",)


@pytest.mark.parametrize(
    ("name", "arrays", "said"),
    [
        ("a.npy", {"row": np.ones(4)}, r"a\.npy: 'a' has shape \(4,\), but the layer has 3 units"),
        ("a.npy", {"row": np.zeros(3)}, "vector of zeros"),
        ("a.npy", {"row": np.array([1, np.nan, 0])}, "finite numbers"),
        ("a.npy", {"row": np.array(["x", "y", "z"])}, "finite numbers"),
        ("a.npy", {"row": np.array([{}, 1, 2], object)}, "cannot be read"),
        ("a.npz", {"w": MATRIX, "names": np.array(["one"])}, "1 names for 2 directions"),
        ("a.npz", {"w": MATRIX, "v": MATRIX, "names": np.array(["one", "two"])}, "goes with one matrix"),
    ],
)
def test_what_is_no_direction_is_refused(tmp_path, name, arrays, said):
    put(tmp_path, "conv", name, **arrays)
    with pytest.raises(UserError, match=said):
        read_given(tmp_path, UNITS)


def test_a_copy_of_the_concepts_gives_their_directions(tmp_path):
    concepts = ("red", "striped")
    number = np.array([0])
    about = About(("conv",), 9, concepts, np.array([9, 9]), ("cat",), number, number + 9)
    direction = np.array([[0.6, 0.8, 0], [0, 0, 1]], np.float32)
    layer = LayerConcepts(direction, *(np.zeros((2, 3, 1)) for _ in range(8)))
    write_concepts(tmp_path / "concepts.h5", about, {"conv": layer}, made_from={})
    put(tmp_path, "conv", "a.npy", row=np.ones(3))
    found = read_given(tmp_path, UNITS)
    assert found["conv"].names == ("red", "striped", "a") or found["conv"].names == ("a", "red", "striped")
    assert any(np.allclose(row, direction[0]) for row in found["conv"].direction)
    with pytest.raises(UserError, match="of another network"):
        read_given(tmp_path, {"conv": 4})


def test_files_that_are_no_arrays_or_lie_in_no_layer_are_refused(tmp_path):
    put(tmp_path, "cov", "a.npy", row=np.ones(3))
    with pytest.raises(UserError, match="no layer matches 'cov'; did you mean 'conv'"):
        read_given(tmp_path, UNITS)
    (tmp_path / "cov/a.npy").rename(tmp_path / "cov/a.txt")
    with pytest.raises(UserError, match=r"a\.txt: no file of directions"):
        read_given(tmp_path, UNITS)
