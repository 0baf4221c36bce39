"""The stage `topk` on activations made by hand."""

import json
import shutil

import numpy as np
import pytest

from pipeline import store
from pipeline.contents.reading import read_section
from pipeline.errors import UserError
from pipeline.formats import shards
from pipeline.formats.activations import Index, KeptLayer
from pipeline.formats.geometry import LayerGeometry
from pipeline.formats.patches import open_patches
from pipeline.formats.second_ranking import FILE, LayerRanking, SecondRanking, write_second_ranking
from pipeline.formats.shards import input_position, input_value, read_contents, value, write_shard
from pipeline.formats.topk import open_topk
from pipeline.images.way_back import to_image
from pipeline.numerics.geometry import ReceptiveField
from pipeline.report.captions import read_caption
from pipeline.report.wording import prose
from stages import patches, render_patches, topk
from tests.small.artifacts import write_shards
from tests.small.atlas import DIGESTS, IMAGES, INPUT, LAYERS, PREPROCESSING, make, size


def said(words, numbers):
    """Return a text as it reads, in one line."""
    return prose(words, numbers).replace("\n", " ")


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
        contents = read_contents(part)
    arrays["maxima/features.1/value"][0, 1] = np.nan
    write_shard(part, arrays, contents, code_layer="", made_from={})
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
        ranked = np.tile(np.arange(6, dtype=np.float32), (len(order), 1))
        position = np.ones((*order.shape, 2), np.uint16)
        active = (values > 0).sum(0)
        layers[layer] = LayerRanking(
            ranked[:, ::-1], order[:, ::-1], position, np.full(order.shape, 6, np.uint16), active, active
        )
    second = SecondRanking(layers, 10, 2, layers["features.0"].image_id[:1, 0], "float32", 4, "AVX2")
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
            assert file.attributes(layer)["lost"] == second_lost(
                ranked, ranked_again["features.0"].image_id[0, 0]
            )
        assert (file.attributes()["images_again"], file.attributes()["images_by_lot"]) == (10, 1)
    patches.run(patches.Params(units=2, layers=("*",), side=16, seed=0), paths | {"out": paths["patches"]})
    drawn = paths | {"out": paths["patches"].parent / "figures/patches"}
    render_patches.run(render_patches.Params(units=2), drawn)
    numbers = read_section(drawn["out"] / "patches").content.numbers
    assert numbers["overlap"] == 0
    words = said(read_caption("patches").words, numbers)
    assert "the 10\u00a0images that hold a candidate of any unit were forwarded again" in words
    assert "0\u00a0% of the first 2 (mean over layers)" in words
    assert "Of the others 1 were drawn by lot" in words and "of the units lack one of their first 2" in words


def second_lost(ranked, by_lot):
    """Return the share of units whose first 2 have the image drawn by lot, which stands for two others."""
    found = np.count_nonzero((ranked.image_id[:, :2] == by_lot) & (ranked.value[:, :2] > 0))
    return min(1, 2 * found / len(ranked.value))


@pytest.fixture
def bounded(paths):
    """Activations of a layer with two units, of which the first is saturated on all images but one."""
    inputs = np.arange(IMAGES * 2, dtype=np.float32).reshape(IMAGES, 2)[::-1] % 7
    inputs[:, 0] += 6 * (np.arange(IMAGES) != 4)
    inputs[:, 1] -= 3
    position = np.arange(IMAGES * 4).reshape(IMAGES, 2, 2) % 4
    arrays = {
        value("relu6"): np.clip(inputs, 0, 6), shards.position("relu6"): np.zeros_like(position, np.uint16),
        input_value("relu6"): inputs, input_position("relu6"): position.astype(np.uint16),
    }  # fmt: skip
    geometry = LayerGeometry((4, 4), ReceptiveField((4, 4), (2, 2), (-1, -1), "exact"))
    layer = KeptLayer("relu6", "map", 2, geometry, "input")
    shutil.rmtree(paths["activations"])
    paths["activations"].mkdir()
    index = Index((layer,), "relu6", IMAGES, "float32", 4, "cpu AVX2")
    write_shards(paths["activations"], index, np.arange(IMAGES), arrays, (5, 6))
    return inputs, position


def test_a_layer_with_a_largest_value_is_ranked_by_its_input(paths, bounded):
    inputs, position = bounded
    topk.run(topk.Params(k=3, margin=2), paths)
    order = np.lexsort((np.arange(IMAGES)[:, None].repeat(2, 1), -inputs), axis=0)[:5].T
    units = np.arange(2)[:, None]
    with open_topk(paths["out"]) as file:
        found = file.layer("relu6")
    assert found.ranked_by == "input"
    np.testing.assert_array_equal(found.image_id, order)
    np.testing.assert_array_equal(found.input, inputs[order, units])
    np.testing.assert_array_equal(found.value, np.clip(inputs, 0, 6)[order, units])
    np.testing.assert_array_equal(found.position, position[order, units])
    outputs = np.clip(inputs, 0, 6)
    assert found.count_at_maximum.tolist() == [
        IMAGES - 1,
        np.count_nonzero(outputs[:, 1] == outputs[:, 1].max()),
    ]
    assert found.count_active.tolist() == (outputs > 0).sum(0).tolist()
    assert found.output_rank[0].tolist() == [0] * 5


def test_pages_and_captions_say_what_ranks(paths, bounded):
    topk.run(topk.Params(k=3, margin=2), paths)
    patches.run(patches.Params(units=2, layers=("*",), side=16, seed=0), paths | {"out": paths["patches"]})
    drawn = paths | {"out": paths["patches"].parent / "figures/patches"}
    render_patches.run(render_patches.Params(units=2), drawn)
    section = read_section(drawn["out"] / "patches")
    caption, (layer,) = read_caption("patches"), section.content.layers
    assert "ranked by what enters the function" in said(caption.words, section.content.numbers)
    numbers = section.content.numbers | layer.blocks[0].numbers
    assert "ranked by what enters it" in said(caption.part("layer"), numbers)
    assert layer.unit_table.caption == "winners-by-input"
    first = layer.units[0]
    assert [row[:3] for row in first.rows] == [(12.0, 6.0, 1), (12.0, 6.0, 1), (11.0, 6.0, 1)]
    assert first.facts[-1] == IMAGES - 1 and not first.blocks
    table = (drawn["out"] / "patches" / layer.data).read_text().splitlines()
    assert table[0].startswith("unit,rank,value,input,output_rank,image_id")
    assert table[1].split(",")[2:5] == ["6", "12", "1"]


def test_different_images_with_equal_maxima_are_both_shown(paths):
    """Values and positions that are equal are no evidence that the images are."""
    shutil.rmtree(paths["activations"])
    paths["activations"].mkdir()
    arrays = {
        value("relu"): np.full((IMAGES, 1), 6, np.float32),
        shards.position("relu"): np.zeros((IMAGES, 1, 2), np.uint16),
    }
    arrays[shards.INPUT_DIGEST] = DIGESTS
    geometry = LayerGeometry((4, 4), ReceptiveField((4, 4), (2, 2), (-1, -1), "exact"))
    index = Index((KeptLayer("relu", "map", 1, geometry),), "relu", IMAGES, "float32", 4, "cpu AVX2")
    write_shards(paths["activations"], index, np.arange(IMAGES), arrays, (5, 6))
    topk.run(topk.Params(k=IMAGES, margin=0), paths)
    patches.run(patches.Params(units=2, layers=("*",), side=16, seed=0), paths | {"out": paths["patches"]})
    with open_patches(paths["patches"]) as file:
        drawn = file.layer("relu")
    # The last image is a copy of the one before: both fill one place.
    assert drawn.image_id[0].tolist() == [*range(IMAGES - 1), -1]
    assert (drawn.passed_over.tolist(), drawn.count_at_maximum.tolist()) == ([1], [IMAGES])


def test_a_choice_among_ties_is_called_arbitrary(paths):
    topk.run(topk.Params(k=2, margin=1), paths)
    patches.run(patches.Params(units=9, layers=("*",), side=16, seed=0), paths | {"out": paths["patches"]})
    drawn = paths | {"out": paths["patches"].parent / "figures/patches"}
    render_patches.run(render_patches.Params(units=2), drawn)
    activations = store.open_activations(paths["activations"])
    tied = 0
    for layer in read_section(drawn["out"] / "patches").content.layers:
        values = activations.read(f"maxima/{layer.layer}/value")
        largest = (values == values.max(0)).sum(0)
        for unit in layer.units:
            ties = [block for block in unit.blocks if block.caption == "ties"]
            assert len(ties) == (largest[unit.unit] > 2 and values[:, unit.unit].max() > 0)
            if ties:
                assert ties[0].numbers["at_maximum"] == largest[unit.unit]
                assert "the choice among them is arbitrary" in said(
                    read_caption("patches").part("ties"), ties[0].numbers
                )
            tied += len(ties)
    numbers = read_section(drawn["out"] / "patches").content.numbers
    assert numbers["units_tied"] == tied > 0
