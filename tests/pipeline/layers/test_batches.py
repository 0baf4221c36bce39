import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.dataset.originals import originals
from pipeline.formats.manifest import open_manifest
from pipeline.images.network_input import normalise
from pipeline.images.preprocess import Preprocessing
from pipeline.layers.batches import Batches
from tests.small.artifacts import write_manifest_of

PREPROCESSING = Preprocessing(input_size=(4, 6), crop="none")


def pixels(number):
    return np.random.default_rng(number).integers(0, 256, (4, 6, 3), dtype=np.uint8)


@pytest.fixture
def manifest(tmp_path):
    """Seven images; the third is not what it was, the fifth is gone."""
    names = [f"{number}.png" for number in range(7)]
    (tmp_path / "data").mkdir()
    for number, name in enumerate(names):
        Image.fromarray(pixels(number)).save(tmp_path / "data" / name)
    write_manifest_of(tmp_path / "manifest.h5", tmp_path / "data", names)
    Image.fromarray(pixels(99)).save(tmp_path / "data" / names[2])
    (tmp_path / "data" / names[4]).unlink()
    return tmp_path / "manifest.h5"


def batches(manifest, image_ids, **options):
    with open_manifest(manifest) as file:
        return Batches(originals(file, np.array(image_ids)), PREPROCESSING, 2, **options)


def test_images_come_as_the_network_sees_them(manifest):
    found = list(batches(manifest, [0, 1, 3]))
    assert [batch.image_id for batch in found] == [[0, 1], [3]]
    expected = normalise(np.stack([pixels(0), pixels(1)]), PREPROCESSING)
    assert np.array_equal(found[0].inputs_on(torch.device("cpu")), expected)
    np.testing.assert_array_equal(found[0].inputs, expected)
    assert found[1].inputs.shape == (1, 3, 4, 6)


@pytest.mark.parametrize(
    "options", [{}, {"threads": 2}, {"guarded": True}], ids=["plain", "threads", "guarded"]
)
def test_an_image_that_fails_moves_no_other_to_another_batch(manifest, options):
    images = batches(manifest, range(7), **options)
    assert [batch.image_id for batch in images] == [[0, 1], [3], [5], [6]]
    assert images.kept == [0, 1, 3, 5, 6]
    assert [(image_id, error.reason) for image_id, error in images.skipped] == [
        (2, "changed"),
        (4, "missing"),
    ]


def test_a_batch_without_an_image_is_left_out(manifest):
    assert [batch.image_id for batch in batches(manifest, [2, 4, 5])] == [[5]]
