"""The stage `render-summary`."""

import csv
import json

import numpy as np
import pytest
from matplotlib import figure as canvas
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from pipeline import store
from pipeline.contents.blocks import Figure, Table
from pipeline.contents.reading import read_section
from pipeline.contents.values import Evidence
from pipeline.figures.drawing.palette import LIGHT
from pipeline.figures.summary import _paint_training
from pipeline.formats.weights import write_course
from stages import predictions, render_summary
from tests.small.artifacts import write_activations, write_description, write_manifest, write_thumbnails
from tests.small.files import bytes_below
from tests.small.pages import check_sizes, page_of, title_of

CLASSES = ["a", "<b>", "=c"]
LABEL = np.arange(80) % 3
PARAMS = {"examples": 4, "example_classes": 2, "tile": 16}
TRAINING = {"epochs": 2}
SPLIT = ["test" if row % 2 else "train" for row in range(80)]


def render(root, label=LABEL, split=SPLIT, course=(), training=None, **changes):
    rng = np.random.default_rng(0)
    write_activations(root / "activations", logits=rng.normal(size=(40, 7)).astype(np.float32))
    (root / "classes").mkdir(exist_ok=True)
    paths = {
        "activations": root / "activations",
        "manifest": write_manifest(root / "manifest.h5", label, CLASSES, split, **changes),
        "weights": write_description(root / "weights", [*CLASSES, *"defg"], training),
        "classes": root / "classes",
        "thumbnails": write_thumbnails(root / "thumbnails.h5", np.arange(80)),
        "course": root / "course",
        "names": root / "class_names.h5",
    }
    write_course(paths["course"], course)
    made = {key: root / "made" / key for key in ("metrics", "confusion", "calibration")}
    params = predictions.Params(bins=5, binning="width", plot_rows=10, seed=0)
    predictions.run(params, {**paths, **made, "out": root / "predictions.h5"})
    paths |= {"predictions": root / "predictions.h5", "out": root / "figures" / "summary"}
    render_summary.run(render_summary.Params(**PARAMS), paths)
    return paths["out"] / "summary"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return render(tmp_path_factory.mktemp("summary"), training=TRAINING)


@pytest.fixture(scope="module")
def content(folder):
    return read_section(folder).content


def table(content, name):
    return next(block for block in content.blocks if isinstance(block, Table) and block.id == name)


def figures(content):
    return {block.id: block for block in content.blocks if isinstance(block, Figure)}


def test_blocks_stand_in_the_order_of_the_page(content):
    assert [block.id for block in content.blocks] == [
        "dataset", "examples", "network", "accuracy", "classes", "confusion", "confused", "calibration"
    ]  # fmt: skip


def test_pictures_have_the_size_that_is_said(folder, content):
    for figure in figures(content).values():
        check_sizes(folder, figure)


def test_evaluated_images_are_said_to_be_of_the_held_out_split(content):
    evidence = figures(content)["classes"].evidence
    assert (evidence.n, evidence.split, evidence.interval) == (20, "test", "wilson")
    assert content.numbers["evaluated"] == 20


def test_every_recorded_layer_is_told_with_its_geometry(content):
    rows = table(content, "network").rows
    assert [part.layer for part in content.layers] == [row[0] for row in rows]
    assert [part.units_total for part in content.layers] == [row[2] for row in rows]


def test_counts_of_the_dataset(content):
    rows = table(content, "dataset").rows
    assert rows[0] == ("a", 13, 14, 27)
    assert rows[-1] == ("all", 40, 40, 80)
    assert content.numbers["images"] == 80
    assert content.numbers["duplicates"] == 1
    # One in the manifest, and every fifth image that the network never saw.
    assert content.numbers["skipped"] == 1 + 10


def test_accuracy_is_that_of_the_predictions(folder, content):
    metrics = json.loads((folder.parents[2] / "made" / "metrics").read_text())
    assert content.numbers["accuracy"] == pytest.approx(metrics["accuracy"], rel=1e-5)
    assert content.numbers["accuracy_low"] == pytest.approx(metrics["accuracy_low"], rel=1e-5)
    assert content.numbers["ece"] == pytest.approx(metrics["ece"], rel=1e-5)
    rows = {row[0]: row for row in table(content, "accuracy").rows}
    for split in ("test", "train"):
        assert rows[split][2] == pytest.approx(metrics["split"][split]["accuracy"], rel=1e-5)
        assert rows[split][4] == pytest.approx(metrics["split"][split]["top5_accuracy"], rel=1e-5)


def test_numbers_behind_the_confusion(folder):
    with store.read(folder.parents[2] / "predictions.h5", version=None) as file:
        predicted, images = file.get("confusion/predicted"), file.get("confusion/images")
    rows = list(csv.DictReader((folder / "confusion.csv").open()))
    assert sum(int(row["images"]) for row in rows) == images.sum()
    assert {row["label"] for row in rows} == {"a", "<b>", "'=c"}
    others = sum(int(row["images"]) for row in rows if row["predicted"] in "defg")
    assert others == images[predicted >= 3].sum()


def test_examples_are_of_their_class(folder, content):
    figure = figures(content)["examples"]
    pixels = np.asarray(Image.open(folder / "examples.webp"))
    assert pixels.shape[:2] == (figure.height, figure.width)
    right = figure.width - 8
    assert pixels[8, right, 0] % 3 == 0
    assert pixels[16 + 3 + 8, right, 0] % 3 == 1


def test_training_is_drawn_where_there_was_one(tmp_path):
    course = [(0, None, 2.2, 0.1), (1, 1.0, 0.8, 0.7), (2, 0.5, 0.6, 0.9)]
    folder = render(tmp_path, course=course, training=TRAINING)
    content = read_section(folder).content
    assert content.blocks[-1].id == "training"
    assert content.blocks[-1].evidence == Evidence(n=20, split="test")
    assert content.blocks[-1].numbers == {"epochs": 2, "course_first": 0.1, "course_last": 0.9}
    assert "From 10.0\u00a0% to 90.0\u00a0% right in 2\u00a0epochs" in page_of(folder, tmp_path)


@pytest.mark.parametrize(("last", "scale"), [(0.5, "linear"), (0.01, "log")])
def test_the_axis_of_the_loss_has_numbers(last, scale):
    figure, columns = (
        canvas.Figure(),
        np.array([[0, 1, 2], [np.nan, 1.0, last], [2.2, 0.8, 0.6], [0.1, 0.7, 0.9]]),
    )
    _paint_training(figure, LIGHT, columns)
    FigureCanvasAgg(figure).draw()
    left = figure.axes[0]
    low, high = left.get_ylim()
    written = [label.get_text() for label in left.get_yticklabels() if low <= label.get_position()[1] <= high]
    assert left.get_yscale() == scale and sum(text != "" for text in written) >= 2


def test_a_training_that_changes_nothing_is_said_to():
    numbers = {"epochs": 8, "course_first": 0.0033, "course_last": 0.0034}
    assert title_of("summary", "training", numbers) == "0.3 % right after 8 epochs as before"
    numbers = {"accuracy_first": 0.0033, "accuracy_last": 0.0034}
    assert title_of("training_dynamics", "accuracy", numbers) == "In the end 0.3 % right, as at first"


def test_unlabelled_images(tmp_path):
    folder = render(tmp_path, label=np.full(80, -1))
    content = read_section(folder).content
    assert list(figures(content)) == ["examples"]
    assert "accuracy" not in content.numbers
    assert content.numbers["unlabelled"] == 80
    assert table(content, "dataset").rows[-2][0] == "no label"
    assert "No image has a label" in page_of(folder, tmp_path)


def test_of_weights_from_elsewhere_all_images_count_and_what_is_not_known_is_said(tmp_path):
    folder = render(tmp_path, drawn=80)
    content = read_section(folder).content
    assert content.numbers["accuracy_images"] == 40
    assert [row[0] for row in table(content, "accuracy").rows] == ["all"]
    assert table(content, "dataset").rows[-1] == ("all", 80)
    assert "the network may know these" in page_of(folder, tmp_path)


def test_equal_bytes_twice(folder, tmp_path):
    assert bytes_below(folder) == bytes_below(render(tmp_path, training=TRAINING))
