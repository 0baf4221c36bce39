import numpy as np
import pytest

from pipeline import store
from pipeline.errors import UserError
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.patches import VERSION, About, Context, DrawnLayer, Patches, new_patches, open_patches
from pipeline.numerics.geometry import ReceptiveField

RNG = np.random.default_rng(0)
ABOUT = About(("relu",), 4, 6, 3, 17, (8, 8))
IMAGE_ID = np.array([2, 5, 9])
LAYER = DrawnLayer(
    LayerGeometry((4, 3), ReceptiveField((3, 5), (1, 2), (-1, 0), "global")),
    units=8,
    units_never_active=1,
    value=np.array([[3, 2, -np.inf], [1, 1, 1]], np.float32),
    image_id=np.array([[5, 2, -1], [9, 5, 2]]),
    position=RNG.integers(0, 3, (2, 3, 2)).astype(np.uint16),
    box=RNG.random((2, 3, 4), np.float32),
    passed_over=np.array([0, 2]),
    unit=np.array([0, 7]),
    count_active=np.array([4, 11]),
    count_at_maximum=np.array([1, 5]),
    input=np.array([[9, 8, -np.inf], [7, 6, 5]], np.float32),
    output_rank=np.array([[0, 1, -1], [0, 0, 0]]),
    overlap=0.75,
)
PATCHES = Patches(
    RNG.integers(0, 256, (2, 3, 4, 4, 3)).astype(np.uint8),
    RNG.integers(0, 2, (2, 3, 4, 4)).astype(np.uint8),
    RNG.random((2, 3), np.float32),
)
CONTEXTS = (
    Context(np.full((6, 6, 3), 7, np.uint8), 0.5, (1.0, 0.0), (0.0, 0.0, 8.0, 8.0)),
    "missing: gone",
    Context(np.full((6, 6, 3), 9, np.uint8), 2.0, (0.0, -1.0), (1.0, 1.0, 8.0, 7.0)),
)


@pytest.fixture
def path(tmp_path):
    with new_patches(tmp_path / "patches.h5", ABOUT, made_from={"topk": "00"}) as writer:
        writer.put_contexts(IMAGE_ID, iter(CONTEXTS))
        writer.put_layer("relu", LAYER, PATCHES)
    return tmp_path / "patches.h5"


def test_layers_are_read_back(path):
    with open_patches(path) as found:
        assert found.about == ABOUT
        layer = found.layer("relu")
    for name, expected in vars(LAYER).items():
        if isinstance(expected, np.ndarray):
            assert getattr(layer, name).dtype == expected.dtype
            np.testing.assert_array_equal(getattr(layer, name), expected)
        else:
            assert getattr(layer, name) == expected


def test_the_patches_of_a_unit_are_read_back(path):
    with open_patches(path) as found:
        read = found.patches("relu", 1)
    for name, expected in vars(PATCHES).items():
        np.testing.assert_array_equal(getattr(read, name), expected[1])


def test_contexts_are_read_by_image(path):
    with open_patches(path) as found:
        assert found.image_id.tolist() == IMAGE_ID.tolist()
        first, lost, third = (found.context(image_id) for image_id in IMAGE_ID.tolist())
        assert lost is found.context(-1) is None
        assert found.skipped() == {5: "missing: gone"}
    for read, expected in ((first, CONTEXTS[0]), (third, CONTEXTS[2])):
        np.testing.assert_array_equal(read.pixels, expected.pixels)
        assert (read.scale, tuple(read.offset), tuple(read.view)) == (
            expected.scale, expected.offset, expected.view
        )  # fmt: skip


def test_another_version_is_refused(tmp_path):
    with store.write(tmp_path / "patches.h5", stage="patches", version=VERSION + 1):
        pass
    with pytest.raises(UserError, match="run its stage again"), open_patches(tmp_path / "patches.h5"):
        pass
