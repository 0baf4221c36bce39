"""Reading the maps that a scorecard is about."""

from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.analyses.attribution.given import read_given
from pipeline.analyses.attribution.importance import importance
from pipeline.formats import gradients, occlusion
from pipeline.formats.status import not_run, write_status
from tests.small import gradients as small
from tests.small.occlusion import FOUND


@pytest.fixture
def paths(tmp_path):
    score = FOUND.sizes[0].score.copy()
    score[1, 0, 0] = -3
    smallest = replace(FOUND.sizes[0], score=score)
    found = replace(FOUND, sizes=(smallest, FOUND.sizes[1]))
    occlusion.write_occlusion(tmp_path / "occlusion.h5", found, made_from={})
    return small.write(tmp_path / "gradients.h5"), tmp_path / "occlusion.h5"


def leave(path, stage):
    write_status(path, not_run(stage), stage=stage, version=1)


def test_all_methods_have_a_map_of_each_image(paths):
    given = read_given(*paths, most=3)
    assert given.image_id.tolist() == [7, 2, 5]
    assert given.output.tolist() == [1, 0, 0] and given.by_label.tolist() == [True, True, False]
    assert list(given.maps) == [*small.ABOUT.methods, "occlusion"]
    for name, values in small.VALUES.items():
        expected = importance(name, values.transpose(0, 3, 1, 2))
        np.testing.assert_allclose(given.maps[name], expected, rtol=1e-6)
    # The smallest square at its first place lowers the second image's score from 1 to -3.
    expected = np.zeros((8, 8))
    expected[:2, :2] = 4
    np.testing.assert_array_equal(given.maps["occlusion"][1], expected)
    assert given.covered.window == 2 and (given.settings.steps, given.settings.samples) == (4, 2)


def test_only_images_that_all_have_and_of_them_the_first(paths):
    gradients_path, occlusion_path = paths
    whole = {one.name: getattr(FOUND.whole, one.name)[1:] for one in fields(FOUND.whole)}
    sizes = tuple(
        replace(one, **{
            name: getattr(one, name)[1:] for name in ("probability", "score", "predicted", "activation")
        })
        for one in FOUND.sizes
    )  # fmt: skip
    found = occlusion.Occlusion(FOUND.about, occlusion.Whole(**whole), sizes)
    occlusion.write_occlusion(occlusion_path, found, made_from={})
    given = read_given(gradients_path, occlusion_path, most=9)
    assert given.image_id.tolist() == [2, 5] and given.output.tolist() == [0, 0]
    np.testing.assert_array_equal(
        given.maps["saliency"][0], np.abs(small.VALUES["saliency"][1]).max(-1)
    )  # fmt: skip
    assert read_given(gradients_path, occlusion_path, most=1).image_id.tolist() == [2]


def test_one_of_the_two_may_be_left_out(paths):
    gradients_path, occlusion_path = paths
    leave(occlusion_path, "occlusion")
    given = read_given(gradients_path, occlusion_path, most=3)
    assert given.covered is None and "occlusion" not in given.maps
    occlusion.write_occlusion(occlusion_path, FOUND, made_from={})
    leave(gradients_path, "gradients")
    given = read_given(gradients_path, occlusion_path, most=3)
    assert list(given.maps) == ["occlusion"] and given.image_id.tolist() == [7, 2, 5]
    leave(occlusion_path, "occlusion")
    assert read_given(gradients_path, occlusion_path, most=3) == not_run("gradients")


def test_versions_are_those_that_the_small_files_have():
    assert gradients.VERSION == occlusion.VERSION == 1
