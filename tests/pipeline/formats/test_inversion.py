import numpy as np
import pytest

from pipeline.formats.inversion import VERSION, About, InvertedLayer, new_inversion, open_inversion
from pipeline.formats.status import not_run, write_status

ABOUT = About(("conv", "code"), 400, 2, 8e-10)
ERRORS = np.array([[0.5, 0.25], [np.nan, np.nan], [0.125, 0.75]], np.float32)
ENERGY = np.array([[[3, 1], [3, 4]], [[1, np.nan], [1, 0]], [[2, 1], [2, 2]]], np.float32)
LAYER = InvertedLayer(
    75, 0.25, 10.0, ERRORS, ENERGY, np.full((3, 2), 0.1, np.float32), np.ones(3, np.float32),
    np.array([1, np.nan, 2], np.float32),
    np.array([0, 1, 2], np.int32), np.array([0.5, 0.25, 1], np.float32),
)  # fmt: skip
IMAGES = np.linspace(-500, 500, 3 * 4 * 5 * 3).reshape(3, 4, 5, 3).astype(np.float32)
ARRAYS = ("errors", "energy", "rate", "pixel_error", "between", "predicted", "probability")


@pytest.fixture
def path(tmp_path):
    ids, predicted = np.array([9, 2, 5]), np.array([0, 1, 1], np.int32)
    with new_inversion(tmp_path / "inversion.h5", ABOUT, ids, predicted, made_from={}) as writer:
        writer.put_layer("conv", LAYER, IMAGES)
        writer.put_layer("code", LAYER, IMAGES * 1e6)
    return tmp_path / "inversion.h5"


def test_a_layer_is_read_back(path):
    with open_inversion(path) as found:
        assert found.about == ABOUT
        assert (found.image_id.tolist(), found.predicted.tolist()) == ([9, 2, 5], [0, 1, 1])
        layer = found.layer("conv")
    assert (layer.values, layer.depth, layer.total_variation) == (75, 0.25, 10.0)
    for name in ARRAYS:
        assert getattr(layer, name).dtype == getattr(LAYER, name).dtype
        np.testing.assert_array_equal(getattr(layer, name), getattr(LAYER, name))


def test_the_run_with_the_smallest_error_is_shown():
    assert LAYER.shown.tolist() == [1, 0, 0]
    np.testing.assert_array_equal(LAYER.error, np.array([0.25, np.nan, 0.125], np.float32))


def test_a_run_whose_energy_rose_or_is_no_number_has_diverged():
    assert LAYER.diverged == 2


def test_images_are_clipped_to_what_can_be_shown(path):
    with open_inversion(path) as found:
        for place in range(3):
            expected = np.clip(IMAGES[place], 0, 255)
            np.testing.assert_allclose(found.image("conv", place), expected, atol=0.7)
            assert set(np.unique(found.image("code", place))) <= {0, 255}


def test_a_status_comes_back(tmp_path):
    status = not_run("inversion")
    write_status(tmp_path / "inversion.h5", status, stage="inversion", version=VERSION)
    with open_inversion(tmp_path / "inversion.h5") as found:
        assert found == status
