"""The stage `topk` on activations made by hand."""

import json

import numpy as np
import pytest

from pipeline import store
from pipeline.contents.reading import read_section
from pipeline.errors import UserError
from pipeline.extraction.second_ranking import reorder
from pipeline.formats.second_ranking import FILE, SecondRanking, write_second_ranking
from pipeline.images.way_back import to_image
from pipeline.report.captions import read_caption
from pipeline.report.wording import prose
from stages import patches, render_patches, topk
from tests.small.atlas import IMAGES, INPUT, LAYERS, PREPROCESSING, make, size


@pytest.fixture
def paths(tmp_path):
    paths = make(tmp_path)
    return paths | {"out": paths["topk"]}


def test_the_ranking_is_that_of_sorting_everything(paths):
    topk.run(topk.Params(k=3, margin=4), paths)
    activations = store.open_activations(paths["activations"])
    with store.read(paths["out"], version=None) as file:
        assert file.attributes()["layers"] == list(LAYERS)
        for layer in LAYERS:
            values = activations.read(f"maxima/{layer}/value")
            positions = activations.read(f"maxima/{layer}/position")
            order = np.lexsort((np.arange(IMAGES)[:, None].repeat(values.shape[1], 1), -values), axis=0)[:7].T
            units = np.arange(values.shape[1])[:, None]
            np.testing.assert_array_equal(file.get(f"{layer}/image_id"), order)
            np.testing.assert_array_equal(file.get(f"{layer}/value"), values[order, units])
            np.testing.assert_array_equal(file.get(f"{layer}/position"), positions[order, units])
            np.testing.assert_array_equal(file.get(f"{layer}/count_active"), (values > 0).sum(0))


def test_boxes_are_receptive_fields_in_the_original_image(paths):
    topk.run(topk.Params(k=2, margin=0), paths)
    with store.read(paths["out"], version=None) as file:
        for layer, (_, _, field, stride, start, status) in LAYERS.items():
            box, position = file.get(f"{layer}/box"), file.get(f"{layer}/position").astype(float)
            y, x = (start[axis] + position[..., axis] * stride[axis] for axis in (0, 1))
            expected = np.stack([x, y, x + field[1], y + field[0]], -1)
            if status in ("global", "unknown"):
                expected = np.broadcast_to([0, 0, INPUT, INPUT], box.shape)
            for place, image_id in np.ndenumerate(file.get(f"{layer}/image_id")):
                mapped = to_image(expected[place], *size(image_id), PREPROCESSING)
                np.testing.assert_allclose(box[place], mapped, rtol=1e-6)
            assert file.attributes(layer)["rf_status"] == status


def test_the_metrics_count_what_sorting_everything_gives(paths):
    topk.run(topk.Params(k=3, margin=2), paths)
    found = json.loads(paths["metrics"].read_text())
    activations = store.open_activations(paths["activations"])
    winners, tied, never = set(), 0, 0
    for layer in LAYERS:
        for column in activations.read(f"maxima/{layer}/value").T:
            ranked = sorted(enumerate(column), key=lambda pair: (-pair[1], pair[0]))
            winners |= {number for number, value in ranked[:3] if value > 0}
            tied += ranked[2][1] == ranked[3][1] > 0
            never += ranked[0][1] <= 0
    assert tied
    assert found == {
        "images": IMAGES, "k": 3, "units": 12, "units_never_active": never, "units_tied": tied,
        "winners": len(winners),
    }  # fmt: skip


def test_without_a_further_rank_ties_are_not_known(paths):
    topk.run(topk.Params(k=3, margin=0), paths)
    assert "units_tied" not in json.loads(paths["metrics"].read_text())


def test_no_more_ranks_than_images(paths):
    topk.run(topk.Params(k=IMAGES, margin=5), paths)
    with store.read(paths["out"], version=None) as file:
        assert file.shape("features.0/value") == (5, IMAGES)
        assert (file.get("features.0/image_id") >= 0).all()


def test_k_beyond_the_images_is_refused_naming_both(paths):
    with pytest.raises(UserError, match="topk.k is 13, but there are 12 images"):
        topk.run(topk.Params(k=13, margin=0), paths)
    assert not paths["out"].exists()


def test_nan_is_refused_with_layer_and_unit(paths):
    part = paths["activations"] / "part-01.h5"
    with store.read(part, version=None) as file:
        arrays = {
            f"maxima/{layer}/{name}": file.get(f"maxima/{layer}/{name}")
            for layer in LAYERS
            for name in ("value", "position")
        }
    arrays["maxima/features.1/value"][0, 1] = np.nan
    with store.write(part, stage="extract", version=1) as file:
        for name, values in arrays.items():
            file.put(name, values)
    with pytest.raises(UserError, match=r"part-01\.h5: layer 'features\.1': unit 1 is NaN for image 5"):
        topk.run(topk.Params(k=2, margin=0), paths)


def test_equal_inputs_give_equal_bytes(paths):
    contents = []
    for _ in range(2):
        topk.run(topk.Params(k=3, margin=1), paths)
        contents.append(paths["out"].read_bytes())
    assert contents[0] == contents[1]


@pytest.fixture
def ranked_again(paths):
    """Candidates of every layer whose ranking in float32 is the reverse of that in half precision."""
    activations = store.open_activations(paths["activations"])
    layers = {}
    for layer in LAYERS:
        values = activations.read(f"maxima/{layer}/value")
        order = np.argsort(-values, axis=0, kind="stable")[:6].T
        value = np.tile(np.arange(6, dtype=np.float32), (len(order), 1))
        position = np.ones((*order.shape, 2), np.uint16)
        layers[layer] = reorder(value, order, position, (values > 0).sum(0))
    second = SecondRanking(layers, 12, "float32", 4, "AVX2")
    write_second_ranking(paths["activations"], second, made_from={}, versions=())
    yield layers
    (paths["activations"] / FILE).unlink()


def test_a_second_ranking_is_taken_where_there_is_one(paths, ranked_again):
    topk.run(topk.Params(k=2, margin=2), paths)
    with store.read(paths["out"], version=None) as file:
        for layer, ranked in ranked_again.items():
            assert file.get(f"{layer}/value")[0].tolist() == [5, 4, 3, 2]
            np.testing.assert_array_equal(file.get(f"{layer}/image_id"), ranked.image_id[:, :4])
            np.testing.assert_array_equal(file.get(f"{layer}/count_active"), ranked.count_active)
            assert file.attributes(layer)["overlap"] == 0
    patches.run(patches.Params(units=2, layers=("*",), side=16, seed=0), paths | {"out": paths["patches"]})
    drawn = paths | {"out": paths["patches"].parent / "figures/patches"}
    render_patches.run(render_patches.Params(units=2), drawn)
    numbers = read_section(drawn["out"] / "patches").content.numbers
    assert numbers["overlap"] == 0
    assert "0\u00a0% of the images shown" in prose(read_caption("patches").words, numbers)
