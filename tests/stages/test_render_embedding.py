"""The stage `render-embedding`."""

import csv
import re

import numpy as np
import pytest
from PIL import Image
from scipy.special import softmax

from pipeline.contents.blocks import Figure, Multiples, Viewer
from pipeline.contents.map_points import read_map_points
from pipeline.contents.reading import read_section
from pipeline.errors import UserError
from pipeline.formats import neighbours
from pipeline.formats.embedding import VERSION, Embedding, write_embedding
from pipeline.formats.neighbours import SPACES, About, Neighbours, OnMap, Space, write_neighbours
from pipeline.formats.status import Status, not_run, write_status
from stages import render_embedding
from stages.render_embedding import attribute, predicted_classes
from tests.small.artifacts import write_manifest, write_names, write_predictions, write_thumbnails
from tests.small.files import bytes_below
from tests.small.pages import check_sizes, page_of

PARAMS = {"canvas": 240, "tile": 12, "viewer_images": 1000, "viewer_tile": 8, "seed": 0}
COUNT = 60
IMAGE_ID = np.arange(COUNT) * 2
LOGIT = np.random.default_rng(2).normal(size=(COUNT, 4)).astype(np.float32)
CLASSES = ["a", "<b>", "$c"]
NUMBERS = {
    "images": COUNT, "kl": 0.5, "knn": 0.4, "knc": 0.3, "cpd": 0.2, "trustworthiness": 0.9, "neighbours": 10,
    "neighbour_images": COUNT, "class_neighbours": 1, "grid_blocks": 1, "grid_displacement": 0.1,
    "grid_displacement_cells": 0.8, "unused_displacement_cells": 1.6,
    "components": 5, "explained_variance": 0.9, "landmarks": COUNT,
}  # fmt: skip


def shade(image_id):
    return 20 + 2 * (image_id % 100)


@pytest.fixture
def run(tmp_path):
    rng = np.random.default_rng(0)
    grid = np.stack(np.divmod(rng.permutation(64)[:COUNT], 8), axis=1)

    def once(
        name="embedding", label=IMAGE_ID // 2 % 3, numbers=NUMBERS, predicted=IMAGE_ID, metric="euclidean",
        **changes,
    ):  # fmt: skip
        landmark = np.arange(COUNT)
        embedding = Embedding(IMAGE_ID, rng_xy(), grid, np.asarray(label), landmark, (8, 8), metric, numbers)
        write_embedding(tmp_path / "embedding.h5", embedding, made_from={})
        outputs = (predicted // 2 % 4).astype(np.int32)
        write_predictions(
            tmp_path / "predictions.h5", predicted, outputs, [*CLASSES, "other"], LOGIT[: len(predicted)]
        )
        write_thumbnails(tmp_path / "thumbnails.h5", shade(np.arange(2 * COUNT)))
        paths = {name: tmp_path / f"{name}.h5" for name in ("embedding", "predictions", "thumbnails")}
        paths["neighbours"] = tmp_path / "neighbours.h5"
        write_none(paths["neighbours"])
        for name in ("similarity", "separability"):
            paths[name] = tmp_path / f"{name}.h5"
            write_status(paths[name], not_run(name), stage=name, version=1)
        paths["names"] = write_names(tmp_path / "names.h5", CLASSES, [*CLASSES, "other"])
        paths["manifest"] = write_manifest(tmp_path / "manifest.h5", np.arange(2 * COUNT) % 3, CLASSES)
        paths["out"] = tmp_path / "figures" / name
        render_embedding.run(render_embedding.Params(**{**PARAMS, **changes}), paths)
        return paths["out"] / "embedding"

    return once


def write_near(path, image_id):
    """Write for each of some images the two after it as its nearest."""
    ids = np.asarray(image_id)
    near = OnMap(ids, np.stack([np.roll(ids, -1), np.roll(ids, -2)], 1), np.ones((len(ids), 2), np.float32))
    space = Space(ids[:1, None], np.ones((1, 1), np.float32), np.zeros(0), 0.5, None)
    about = About("cosine", "fc", 2, len(ids), 0, 4, 3, "", False, 1, 0, 100)
    spaces, none = dict.fromkeys(SPACES, space), ids[:0]
    found = Neighbours(about, ids[:1], none, none, np.zeros(0), spaces, near)
    write_neighbours(path, found, made_from={})


def write_none(path):
    write_status(path, not_run("neighbours"), stage="neighbours", version=neighbours.VERSION)


def rng_xy():
    return np.random.default_rng(1).normal(size=(COUNT, 2)).astype(np.float32) * (3, 1) * 10


def figures(folder):
    blocks = read_section(folder).content.blocks
    return {block.id: block for block in blocks if isinstance(block, Figure)}


def points_of(folder):
    points = read_map_points(folder)
    return vars(points) | {"gx": points.cell[:, 0], "gy": points.cell[:, 1]}


def page_size(path):
    """Return width and height of a PDF's page, points."""
    (box,) = re.findall(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", path.read_bytes())
    return tuple(map(float, box))


def test_pictures_have_the_size_that_is_said(run):
    folder = run()
    assert list(figures(folder)) == ["places", "grid", "labels"]
    for figure in figures(folder).values():
        check_sizes(folder, figure)
        assert figure.evidence.n == COUNT


def test_the_correlation_of_distances_says_of_how_many_images_it_is(run, tmp_path, monkeypatch):
    assert "(CPD)." in page_of(run(), tmp_path)
    monkeypatch.setattr("pipeline.formats.embedding.CORRELATED_POINTS", 30)
    assert "(CPD, of 30\u00a0random images)." in page_of(run(name="other"), tmp_path)


def test_what_is_other_than_in_plain_t_sne_of_codes_is_said(run, tmp_path):
    said = "each scaled to length 1", "attracting each other 4 times as much as in plain t-SNE"
    page = page_of(run(), tmp_path)
    assert not any(one in page for one in said)
    page = page_of(run("other", metric="cosine", numbers=NUMBERS | {"exaggeration": 4.0}), tmp_path)
    assert all(one in " ".join(page.replace("\u00a0", " ").split()) for one in said)


def test_the_interactive_map_comes_first_and_names_its_files(run):
    viewer = read_section(run()).content.blocks[0]
    assert isinstance(viewer, Viewer)
    assert (viewer.scripts, viewer.pictures) == (
        ("points.js", "paths-000.js"),
        ("atlas-8-000.webp",),
    )


def test_each_image_lies_in_its_cell_of_the_grid(run):
    folder = run()
    points = points_of(folder)
    pixels = np.asarray(Image.open(folder / "grid-240.webp").convert("RGBA"))
    side = 240 // 8
    for image_id, column, row in zip(points["image_id"], points["gx"], points["gy"], strict=True):
        assert pixels[row * side + side // 2, column * side + side // 2, 0] == shade(image_id)
    assert (pixels[..., 3] > 0).mean() > 0.8


def test_images_lie_near_their_places_on_the_map(run):
    folder = run()
    points = points_of(folder)
    pixels = np.asarray(Image.open(folder / "map-240.webp").convert("RGBA"))
    drawn = {
        int(row["image_id"]) for row in csv.DictReader((folder / "map.csv").open()) if row["drawn"] == "1"
    }
    assert len(drawn) > COUNT / 2
    for image_id, x, y in zip(points["image_id"], points["x"], points["y"], strict=True):
        if image_id in drawn:
            places = np.argwhere((pixels[..., 0] == shade(image_id)) & (pixels[..., 3] == 255))
            distance = np.abs(places.mean(axis=0)[::-1] - np.array([x, y]) * 240)
            assert distance.max() < 4 * 12


def tile_of(folder, level, slot):
    """Return the middle pixel of a tile."""
    number, place = divmod(slot, level.columns * level.rows)
    row, column = divmod(place, level.columns)
    with Image.open(folder / level.files[number]) as image:
        pixels = np.asarray(image.convert("RGBA"))
    return pixels[row * level.tile + level.tile // 2, column * level.tile + level.tile // 2]


@pytest.mark.parametrize("tile", [8, 48])
def test_each_point_has_its_tile_on_every_level(run, tile):
    folder = run(viewer_tile=tile)
    points = points_of(folder)
    assert [level.tile for level in points["levels"]] == ([16, 48] if tile == 48 else [8])
    for level in points["levels"]:
        for slot, image_id in enumerate(points["image_id"]):
            np.testing.assert_allclose(tile_of(folder, level, slot)[:3], shade(image_id), atol=3)


def test_tiles_lie_in_the_order_of_the_map(run):
    points = points_of(run())
    place = np.stack((points["x"], points["y"]), 1)
    in_order_of_the_manifest = place[np.argsort(points["image_id"])]
    steps, others = (
        np.linalg.norm(np.diff(one, axis=0), axis=1) for one in (place, in_order_of_the_manifest)
    )
    assert steps.mean() < 0.7 * others.mean()


def test_points_are_complete_and_scaled(run):
    points = points_of(run())
    assert {
        len(points[name]) for name in ("x", "y", "gx", "gy", "label", "predicted", "path", "image_id")
    } == {COUNT}
    assert (min(points["x"]), max(points["x"])) == (0, 1)
    assert min(points["y"]) == 0
    assert max(points["y"]) < 1
    assert points["classes"] == [*CLASSES, "other"]
    assert points["path"] == [f"class/{image_id:05}.png" for image_id in points["image_id"].tolist()]
    np.testing.assert_array_equal(points["label"], points["image_id"] // 2 % 3)


def test_a_sample_of_many_images_is_shown(run):
    points = points_of(run(viewer_images=20))
    assert len(set(points["image_id"].tolist())) == 20


def test_images_on_the_map_have_their_first_outputs(run):
    said = read_section(run(viewer_images=20)).content.image_outputs
    points = points_of(run(viewer_images=20))
    assert set(said.outputs) == set(points["path"])
    names = [*CLASSES, "other"]
    for image_id, path in zip(points["image_id"], points["path"], strict=True):
        probability = softmax(LOGIT[image_id // 2].astype(np.float64))
        order = np.argsort(-probability)
        assert [said.names[place] for place in said.outputs[path][::2]] == [names[one] for one in order]
        np.testing.assert_allclose(said.outputs[path][1::2], probability[order], rtol=1e-5)


def test_each_point_names_the_places_of_its_nearest(run, monkeypatch):
    monkeypatch.setattr(
        "tests.stages.test_render_embedding.write_none", lambda path: write_near(path, IMAGE_ID)
    )
    folder = run()
    points = read_map_points(folder)
    ids = points.image_id
    np.testing.assert_array_equal(ids[points.near], np.stack([ids + 2, ids + 4], 1) % (2 * COUNT))
    said = read_section(folder.parent / "neighbours").content
    assert (said.image_near, said.numbers["near"], said.numbers["near_images"]) == ("nearest", 2, COUNT)


@pytest.mark.parametrize(("most", "named"), [(COUNT, True), (59, False)])
def test_of_images_beyond_the_map_no_point_names_the_nearest(run, monkeypatch, caplog, most, named):
    monkeypatch.setattr(
        "tests.stages.test_render_embedding.write_none", lambda path: write_near(path, IMAGE_ID)
    )
    folder = run(viewer_images=most)
    assert (read_map_points(folder).near is not None) == named
    assert bool(read_section(folder.parent / "neighbours").content.image_near) == named
    assert ("render_embedding.viewer_images" in caplog.text) == (not named)


def test_without_neighbours_no_point_names_the_nearest(run):
    points = read_map_points(run())
    assert points.near is None and list(points.near_runs) == []


def test_several_atlases(run, monkeypatch):
    monkeypatch.setattr("pipeline.figures.drawing.atlases.SIDE", 32)
    folder = run()
    points = points_of(folder)
    (level,) = points["levels"]
    assert level.files == [f"atlas-8-{number:03}.webp" for number in range(4)]
    heights = [Image.open(folder / name).height for name in level.files]
    assert heights == [32, 32, 32, 24]
    for slot, image_id in enumerate(points["image_id"]):
        np.testing.assert_allclose(tile_of(folder, level, slot)[:3], shade(image_id), atol=3)


def test_mosaics_of_several_sizes(run, tmp_path):
    folder = run(canvas=(240, 480))
    content = read_section(folder).content
    sizes = {block.id: block.figures for block in content.blocks if isinstance(block, Multiples)}
    assert [one.id for one in sizes["map-sizes"]] == ["map-480"]
    assert [one.width for one in sizes["grid-sizes"]] == [480]
    assert sizes["map-sizes"][0].numbers["drawn"] > figures(folder)["places"].numbers["drawn"]
    for figure in (*sizes["map-sizes"], *sizes["grid-sizes"]):
        with Image.open(folder / figure.image) as image:
            assert image.size == (figure.width, figure.height)
        assert page_size(folder / figure.pdf) == (0.75 * figure.width, 0.75 * figure.height)
    assert "The map at other sizes" in page_of(folder, tmp_path)


def test_the_page_compares_the_grid_with_that_of_nearest_unused_images(run, tmp_path):
    page = page_of(run(), tmp_path)
    assert "Images moved by 0.80 cells" in page
    assert "they move by 1.60" in page


def test_equal_bytes_twice(run):
    first = bytes_below(run())
    assert first == bytes_below(run())


def test_a_large_grid_is_thinned_out_and_it_is_said(run, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.figures.embedding.LEAST_TILE", 60)
    folder = run()
    numbers = figures(folder)["grid"].numbers
    assert (numbers["block"], numbers["columns"], numbers["rows"]) == (2, 8, 8)
    assert numbers["shown"] <= 16
    assert "One image of each 2\u00a0×\u00a02 cells" in page_of(folder, tmp_path)


def test_unlabelled_images_have_no_picture_by_label(run, tmp_path):
    numbers = {name: value for name, value in NUMBERS.items() if name != "knc"}
    folder = run(label=np.full(COUNT, -1), numbers=numbers)
    assert list(figures(folder)) == ["places", "grid"]
    assert "knc" not in read_section(folder).content.numbers
    assert "Without labels, how the classes lie" in page_of(folder, tmp_path)


def test_without_a_map_the_section_says_why(run, tmp_path):
    status = Status("not applicable", "A map needs at least 5 images, and there are 4.")

    def write_none(path, _, made_from):
        write_status(path, status, stage="embedding", version=VERSION, made_from=made_from)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.stages.test_render_embedding.write_embedding", write_none)
        folder = run()
    content = read_section(folder).content
    assert (content.status, content.reason, content.blocks) == (status.state, status.reason, ())
    page = page_of(folder, tmp_path)
    assert "A map needs at least 5 images" in page
    assert "Karpathy" not in page


@pytest.mark.parametrize("others", [IMAGE_ID[1:], IMAGE_ID + 1])
def test_predictions_of_other_images_are_refused(run, tmp_path, others):
    with pytest.raises(UserError, match="stale"):
        run(predicted=others)
    assert not (tmp_path / "figures").exists()


def test_attributes_are_words_by_frequency_or_numbers():
    rows = np.array([0, 2, 3, 4])
    words = attribute("style", ["b", "-", "", "a", "b"], rows)
    assert (words.words, words.value.tolist()) == (("b", "a"), [0, -1, 1, 0])
    numbers = attribute("height", np.array([1.0, 9, np.nan, 3, 4]), rows)
    np.testing.assert_array_equal(numbers.value, [1, np.nan, 3, 4])
    assert numbers.words is None


@pytest.mark.parametrize(
    "values", [["same"] * 4, [""] * 4, np.ones(4), np.full(4, np.nan), [str(one) for one in range(1001)]]
)
def test_an_attribute_that_tells_nothing_apart_colours_nothing(values):
    assert attribute("x", values, np.arange(len(values))) is None


def test_outputs_become_classes():
    predicted, label = np.array([2, 0, 3, 1, 1]), np.array([0, 1, -1, 2, 1])
    found, names = predicted_classes(
        predicted, label, np.array([2, 1, 1]), ("x", "y", "z"), ["p", "q", "r", "s"]
    )
    assert names == ("x", "y", "z", "p", "s")
    assert found.tolist() == [0, 3, 4, 2, 1]
