import csv
import re
from dataclasses import replace

import numpy as np
import pytest

from pipeline.analyses.training_dynamics.course import Course
from pipeline.contents.writing import new_chapter
from pipeline.figures.training_dynamics import Courses, add_training_dynamics
from pipeline.formats.probes import Pictured
from pipeline.formats.status import not_run
from pipeline.formats.training_dynamics import open_dynamics
from tests.small.dynamics import IMAGES, SHOWN, write_dynamics
from tests.small.pages import page_of, title_of

PICTURE = Pictured(SHOWN, "a/<3>.png", np.full((8, 8, 1), 90, np.uint8))


@pytest.fixture
def draw(tmp_path):
    def made(images=100, pictured=PICTURE, **given):
        path = write_dynamics(tmp_path / "dynamics.h5", **given)
        with open_dynamics(path) as found, new_chapter(tmp_path / "activations") as chapter:
            section = chapter.section("training_dynamics")
            add_training_dynamics(section, found, images, pictured)
        return section.content(), tmp_path / "activations/training_dynamics"

    return made


def words(folder, tmp_path):
    return " ".join(re.sub("<[^>]*>", "", page_of(folder, tmp_path)).split())


def test_layers_that_changed_are_counted_and_said(draw, tmp_path):
    content, folder = draw()
    numbers = content.numbers
    assert (numbers["zeros_up"], numbers["zeros_down"], numbers["zeros_layers"]) == (1, 0, 2)
    assert (numbers["localisation_up"], numbers["localisation_layers"]) == (1, 1)
    assert (numbers["sampled"], numbers["numbered"]) == (1, 0)
    page = words(folder, tmp_path)
    assert "in 1 of 2 layers more of the outputs are zero, in 0 fewer; in 1 no change can be told." in page
    assert "On the whole this network does as the saying goes, not in every layer." in page
    assert "not known to be the initialisation" not in page


def test_a_course_that_contradicts_the_saying_is_said_to(draw, tmp_path):
    content, folder = draw(epochs=(5, 9))
    assert not content.numbers["initial"]
    with open_dynamics(tmp_path / "dynamics.h5") as found, new_chapter(tmp_path / "x") as chapter:
        layer = found.layer

        def backwards(name):
            one = layer(name)
            return replace(one, zeros=one.zeros[::-1], localisation=one.localisation[::-1])

        found.layer = backwards
        add_training_dynamics(chapter.section("training_dynamics"), found, 80, None)
    page = words(tmp_path / "x/training_dynamics", tmp_path / "y")
    assert "This network does not do as the saying goes." in page
    assert "not known to be the initialisation" in page
    assert "kept after epochs 5 to 9" in page


def test_half_of_the_saying_is_said_to_be_half(tmp_path):
    write_dynamics(tmp_path / "dynamics.h5")
    with open_dynamics(tmp_path / "dynamics.h5") as found, new_chapter(tmp_path / "x") as chapter:
        layer = found.layer

        def blurred(name):
            return replace(layer(name), localisation=layer(name).localisation[::-1])

        found.layer = blurred
        add_training_dynamics(chapter.section("training_dynamics"), found, 80, None)
    page = words(tmp_path / "x/training_dynamics", tmp_path / "y")
    assert "So more layers become sparser than denser" in page and "half of the saying holds here" in page


def test_figures_have_their_numbers(draw):
    content, folder = draw()
    figures = {one.id: one for block in content.blocks if block.kind == "multiples" for one in block.figures}
    assert set(figures) == {
        "zeros", "localisation", "accuracy", "smoothness", "change-zeros", "change-localisation",
    }  # fmt: skip
    assert figures["zeros"].evidence.n == IMAGES and figures["accuracy"].evidence.n == IMAGES // 2
    with (folder / "courses.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["checkpoint"] for row in rows[:3]] == ["epoch-0", "epoch-2", "final"]
    relu = [float(row["mean"]) for row in rows if (row["measure"], row["layer"]) == ("zeros", "relu")]
    np.testing.assert_allclose(np.diff(relu), 0.25, atol=1e-6)
    with (folder / "accuracy.csv").open() as file:
        assert [row["images"] for row in csv.DictReader(file)] == [str(IMAGES // 2)] * 3
    for layer in content.layers:
        assert layer.facts[0].value == pytest.approx(0.2, abs=0.02)


def test_without_labels_there_is_no_accuracy(draw, tmp_path):
    content, folder = draw(output=np.full(IMAGES, -1, np.int32))
    assert "accuracy_first" not in content.numbers
    ids = [one.id for block in content.blocks if block.kind == "multiples" for one in block.figures]
    assert "accuracy" not in ids
    assert "Share of the images of the sample" not in words(folder, tmp_path)


def test_the_probe_s_maps_lie_on_its_page_too(draw):
    content, _ = draw()
    (image,) = content.images
    assert (image.image_id, image.path) == (SHOWN, "a/<3>.png")
    assert [one.image for one in image.blocks] == ["maps-relu.webp"]
    assert not draw(pictured=None)[0].images
    assert not draw(pictured=replace(PICTURE, image_id=9))[0].images


def test_the_section_without_data_says_why(tmp_path):
    with new_chapter(tmp_path / "x") as chapter:
        section = chapter.section("training_dynamics")
        add_training_dynamics(section, not_run("training_dynamics"), 9, None)
    assert section.content().reason == "params.yaml says training_dynamics.run: false"


def ending_at(mean, low, high):
    """A course that ends at a mean of this interval."""
    return Course(*(np.array([0.5, one]) for one in (mean, low, high)), mean - 0.5, 0.0, 0.0, 9)


@pytest.mark.parametrize(
    ("layers", "zeros", "localisation"),
    [
        (
            {"relu": ending_at(0.4, 0.3, 0.5), "pool": ending_at(0.7, 0.6, 0.8)},
            "In the end from 40.0 % zeros in relu to 70.0 % in pool",
            "In the end the strongest tenth holds from 40.0 % in relu to 70.0 % in pool",
        ),
        (
            {"relu": ending_at(0.4, 0.3, 0.65), "pool": ending_at(0.7, 0.6, 0.8)},
            "In the end the layers of the fewest and of the most zeros are not clearly apart",
            "In the end the layers of the least and of the most local maps are not clearly apart",
        ),
        (
            {"relu": ending_at(0.4, 0.3, 0.5)},
            "In the end 40.0 % zeros in relu",
            "In the end the strongest tenth holds 40.0 % in relu",
        ),
    ],
)
def test_titles_of_courses_compare_layers_where_intervals_bear_it(layers, zeros, localisation):
    numbers = Courses("zeros", "", layers).ends()
    assert title_of("training_dynamics", "zeros", numbers) == zeros
    assert title_of("training_dynamics", "localisation", numbers) == localisation


@pytest.mark.parametrize(("last", "said"), [(0.7897, "goes from −0.01 to 0.79"), (-0.0062, "stays at −0.01")])
def test_the_title_of_the_smoothness_has_no_digits_that_say_nothing(last, said):
    numbers = {"smoothness_first": -0.008359, "smoothness_last": last}
    assert title_of("training_dynamics", "smoothness", numbers) == f"The first filters’ smoothness {said}"
