"""The stage `contrasts` on activations made by hand."""

import numpy as np
import pytest

from pipeline import store
from pipeline.formats.contrasts import open_contrasts
from pipeline.formats.patches import open_patches
from pipeline.formats.status import not_run
from pipeline.images.way_back import to_image
from stages import patches, topk
from stages.contrasts import Params, run
from tests.small.atlas import IMAGES, INPUT, LAYERS, PREPROCESSING, make, picture, size


@pytest.fixture
def paths(tmp_path):
    paths = make(tmp_path)
    topk.run(topk.Params(k=3, margin=2), paths | {"out": paths["topk"]})
    side = patches.Params(units=64, layers=("*",), side=16, seed=0)
    patches.run(side, paths | {"out": paths["patches"]})
    return paths | {"out": tmp_path / "contrasts.h5"}


def test_weakest_images_are_cut_where_the_unit_looked(paths):
    run(Params(run=True, images=3, seed=0), paths)
    activations = store.open_activations(paths["activations"])
    with open_contrasts(paths["out"]) as found, open_patches(paths["patches"]) as drawn:
        assert found.about.images == IMAGES and found.about.layers == tuple(LAYERS)
        for layer, (units, _, field, stride, start, status) in LAYERS.items():
            values = activations.read(f"maxima/{layer}/value")
            positions = activations.read(f"maxima/{layer}/position").astype(float)
            kind = found.kind(layer, "weakest")
            assert found.units(layer)[0].tolist() == drawn.layer(layer).unit.tolist() == list(range(units))
            for unit in range(units):
                positive = [
                    image for image in np.argsort(values[:, unit], kind="stable") if values[image, unit] > 0
                ]
                expected = (positive[:3] + [-1] * 3)[:3]
                assert kind.image_id[unit].tolist() == expected
                for place, image in enumerate(positive[:3]):
                    y, x = (start[axis] + positions[image, unit, axis] * stride[axis] for axis in (0, 1))
                    box = [x, y, x + field[1], y + field[0]]
                    if status in ("global", "unknown"):
                        box = [0, 0, INPUT, INPUT]
                    np.testing.assert_allclose(
                        kind.box[unit, place], to_image(box, *size(image), PREPROCESSING), rtol=1e-6
                    )


def test_random_images_are_the_same_for_all_units_and_whole_where_nothing_answers(paths):
    run(Params(run=True, images=4, seed=1), paths)
    with open_contrasts(paths["out"]) as found:
        chosen = np.sort(found.kind("pool", "random").image_id[0])
        assert len(set(chosen.tolist())) == 4
        for layer in LAYERS:
            kind = found.kind(layer, "random")
            np.testing.assert_array_equal(
                np.sort(kind.image_id, axis=1), np.tile(chosen, (len(kind.image_id), 1))
            )
            # The last unit of each layer is never active.
            for place, image in enumerate(kind.image_id[-1].tolist()):
                whole = to_image([0, 0, INPUT, INPUT], *size(image), PREPROCESSING)
                np.testing.assert_allclose(kind.box[-1, place], whole, rtol=1e-6)
                patch = found.patches(layer, "random", len(kind.image_id) - 1)
                # Blue tells the image.
                seen = patch.pixels[place][patch.mask[place] > 0]
                assert (seen[:, 2] == picture(image)[0, 0, 2]).all()


def test_another_seed_draws_other_images(paths):
    run(Params(run=True, images=4, seed=1), paths)
    first = paths["out"].read_bytes()
    run(Params(run=True, images=4, seed=1), paths)
    assert paths["out"].read_bytes() == first
    with open_contrasts(paths["out"]) as found:
        before = set(found.kind("pool", "random").image_id[0].tolist())
    run(Params(run=True, images=4, seed=2), paths)
    with open_contrasts(paths["out"]) as found:
        assert set(found.kind("pool", "random").image_id[0].tolist()) != before


def test_stage_that_is_left_out_reads_nothing(tmp_path):
    run(Params(run=False, images=4, seed=0), {"out": tmp_path / "contrasts.h5"})
    with open_contrasts(tmp_path / "contrasts.h5") as found:
        assert found == not_run("contrasts")
