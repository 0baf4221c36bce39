"""The stage `neighbours` on forty images, against a sort of all distances."""

import json
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.spatial.distance import cdist

from pipeline.formats import predictions
from pipeline.formats.neighbours import read_neighbours
from pipeline.formats.probes import VERSION, Probes, write_probes
from pipeline.formats.shards import INPUT_DIGEST
from pipeline.formats.status import not_run, write_status
from stages import neighbours
from tests.small.artifacts import write_activations, write_manifest, write_predictions, write_thumbnails
from tests.small.files import bytes_below

PARAMS = {
    "run": True, "k": 5, "metric": "euclidean", "sample": 1000, "pixel_side": 2, "colour_bins": 5,
    "repeats": 100, "seed": 0, "images": 1000,
}  # fmt: skip
COUNT, ROWS = 40, 80
LABEL = np.arange(ROWS) % 4
SHADE = np.random.default_rng(1).permutation(ROWS) * 3


@pytest.fixture
def codes():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(COUNT, 6)) + 3).astype(np.float32)


@pytest.fixture
def make(tmp_path):
    def write(codes, label=LABEL, probe=(4, 0), shade=SHADE, split=None, held_out="", digest=None):
        count = len(codes)
        thirds = (count - 2 * (count // 3), count // 3, count // 3)
        more = {} if digest is None else {INPUT_DIGEST: digest}
        image_id = write_activations(tmp_path / "activations", thirds, codes=codes, **more)
        write_manifest(tmp_path / "manifest.h5", label, ["a", "b", "c", "d"], split)
        write_thumbnails(tmp_path / "thumbnails.h5", shade)
        path = write_predictions(tmp_path / "predictions.h5", image_id, np.zeros(count, np.int32), ["a"] * 4)
        found = predictions.read_predictions(path)
        predictions.write_predictions(path, replace(found, held_out=held_out), made_from={})
        write_some_probes(tmp_path / "probes.h5", probe)
        paths = {
            name: tmp_path / f"{name}.h5" for name in ("manifest", "thumbnails", "predictions", "probes")
        }
        return image_id, paths | {
            "activations": tmp_path / "activations",
            "out": tmp_path / "out/neighbours.h5",
            "metrics": tmp_path / "out/neighbours.json",
        }

    return write


def write_some_probes(path, ids):
    ids = np.asarray(ids, np.int64)
    none = np.full(len(ids), -1, np.int32)
    texts = tuple("a" for _ in ids)
    probes = Probes(ids, texts, texts, none, none, none.astype(np.float32), none > 0, "")
    write_probes(path, probes, np.zeros((len(ids), 2, 2, 3), np.uint8), made_from={})


def run(paths, **changes):
    neighbours.run(neighbours.Params(**PARAMS | changes), paths)
    return read_neighbours(paths["out"])


def nearest(vectors, image_id, k=5):
    """By image id, the ids of the k nearest, of equal distances the smallest ids."""
    distances = np.round(cdist(vectors, vectors), 6)
    np.fill_diagonal(distances, np.inf)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return dict(zip(image_id.tolist(), image_id[order].tolist(), strict=True))


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_neighbours_are_those_of_a_sort_of_all_distances(make, codes, metric):
    image_id, paths = make(codes)
    found = run(paths, metric=metric)
    assert found.probe.tolist() == [4, 0]
    assert found.image_id.tolist() == image_id.tolist()
    length = np.linalg.norm(codes, axis=1, keepdims=True)
    by_codes = nearest(codes / length if metric == "cosine" else codes, image_id)
    by_pixels = nearest(SHADE[image_id, None], image_id)
    for row, one in enumerate(found.image_id.tolist()):
        assert found.spaces["codes"].neighbour[row].tolist() == by_codes[one]
        assert found.spaces["pixels"].neighbour[row].tolist() == by_pixels[one]


def test_images_of_like_colours_are_nearest_by_colours(make, codes):
    shade = np.where(np.arange(ROWS) % 3 == 0, 20, 200)
    image_id, paths = make(codes, shade=shade)
    found = run(paths)
    near = found.spaces["colours"].neighbour
    np.testing.assert_array_equal(shade[near], shade[found.image_id][:, None].repeat(5, 1))
    assert not found.spaces["colours"].distance.any()


def test_agreement_is_the_share_of_neighbours_with_the_label(make, codes):
    image_id, paths = make(codes + 20 * np.eye(4, 6, dtype=np.float32)[LABEL[make_ids(codes)]])
    found = run(paths)
    expected = [(LABEL[near] == LABEL[one]).mean() for one, near in by_image(found, "pixels")]
    np.testing.assert_allclose(found.spaces["pixels"].agreement, expected)
    assert (found.spaces["codes"].agreement == 1).all()
    pixels = found.spaces["pixels"].summary
    assert pixels.agreement == pytest.approx(np.mean(expected))
    assert pixels.agreement_low < pixels.agreement < pixels.agreement_high
    # The codes' agreement is 1 on every image: of the pixels' it is ahead by what that lacks.
    assert pixels.lead == pytest.approx(1 - pixels.agreement)
    assert (pixels.lead_low, pixels.lead_high) == pytest.approx(
        (1 - pixels.agreement_high, 1 - pixels.agreement_low)
    )
    counts = np.bincount(LABEL[image_id])
    assert found.chance.mean() == pytest.approx(((counts[LABEL[image_id]] - 1) / (COUNT - 1)).mean())
    metrics = json.loads(paths["metrics"].read_text())
    assert metrics["pixels_lead"] == pytest.approx(pixels.lead, rel=1e-5)
    assert "codes_lead" not in metrics


def make_ids(codes):
    return np.array([row for row in range(2 * len(codes)) if row % 5 != 3])[: len(codes)]


def by_image(found, space):
    rows = np.searchsorted(found.image_id, found.sample)
    return zip(found.sample.tolist(), found.spaces[space].neighbour[rows], strict=True)


def test_the_sample_is_of_the_held_out_split_and_seeded(make, codes):
    split = ["test" if row % 2 else "train" for row in range(ROWS)]
    _, paths = make(codes, split=split, held_out="test", probe=())
    found = run(paths, sample=7)
    assert len(found.sample) == 7
    assert (found.sample % 2 == 1).all()
    assert (found.about.split, found.about.sampled) == ("test", True)
    assert found.sample.tolist() == run(paths, sample=7).sample.tolist()
    assert found.sample.tolist() != run(paths, sample=7, seed=1).sample.tolist()
    # Neighbours are sought in every split.
    assert (found.spaces["codes"].neighbour % 2 == 0).any()


def test_of_equal_images_one_is_a_neighbour_and_none_its_own_copy_s(make, codes):
    digest = np.arange(COUNT, dtype=np.uint8)[:, None].repeat(16, 1)
    digest[[3, 9, 20]] = 3
    codes[9] = codes[20] = codes[3]
    image_id, paths = make(codes, digest=digest, probe=make_ids(codes)[[9, 20]])
    found = run(paths)
    assert (found.about.images, found.about.equal) == (COUNT - 2, 2)
    assert not np.isin(found.spaces["codes"].neighbour, image_id[[9, 20]]).any()
    rows = np.searchsorted(found.image_id, image_id[[3, 9, 20]])
    near = found.spaces["codes"].neighbour[rows]
    assert (near == near[0]).all()
    assert image_id[3] not in near
    assert not np.isin(found.sample, image_id[[9, 20]]).any()


def test_what_has_no_thumbnail_is_no_neighbour(make, codes):
    image_id, paths = make(codes, shade=SHADE[:30])
    found = run(paths)
    assert found.about.images == (image_id < 30).sum()
    assert found.spaces["codes"].neighbour.max() < 30


@pytest.mark.parametrize(("label", "classes"), [(np.full(ROWS, -1), 0), (np.zeros(ROWS), 1)])
def test_without_two_labels_there_are_neighbours_and_no_agreement(make, codes, label, classes):
    _, paths = make(codes, label=label.astype(np.int32))
    found = run(paths)
    assert (found.about.classes, len(found.sample)) == (classes, 0)
    assert len(found.image_id) == COUNT
    assert not any(space.summary for space in found.spaces.values())
    assert set(json.loads(paths["metrics"].read_text())) == {
        "images",
        "k",
        "sample",
        "codes_hub",
        "pixels_hub",
        "colours_hub",
    }


def test_an_image_whose_label_no_other_has_is_not_compared(make, codes):
    image_id, paths = make(codes, label=np.where(np.arange(ROWS) == 6, 3, np.arange(ROWS) % 2))
    found = run(paths)
    assert (found.about.classes, found.about.lone) == (3, 1)
    assert found.sample.tolist() == [one for one in image_id.tolist() if one != 6]
    assert 6 in found.spaces["codes"].neighbour
    _, paths = make(codes, label=np.arange(ROWS))
    assert len(run(paths).sample) == 0


def test_four_images_have_three_neighbours_each(make, codes):
    four = make_ids(codes)[:4].tolist()
    _, paths = make(codes[:4], probe=four)
    found = run(paths)
    assert found.about.k == 3
    assert found.image_id.tolist() == four
    for one, row in zip(four, found.spaces["codes"].neighbour.tolist(), strict=True):
        assert set(row) == set(four) - {one}


def test_equal_images_alone_have_no_neighbours(make, codes):
    _, paths = make(codes, digest=np.zeros((COUNT, 16), np.uint8))
    status = run(paths)
    assert (status.state, status.reason[:14]) == ("not applicable", "All 40 images ")


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("at_once", [7, 4096])
def test_nearest_on_the_map_are_those_of_a_sort_of_all_distances(make, codes, monkeypatch, metric, at_once):
    monkeypatch.setattr(neighbours, "CODES_AT_ONCE", at_once)
    image_id, paths = make(codes, shade=SHADE[:30])
    found = run(paths, metric=metric).on_map
    vectors = codes / np.linalg.norm(codes, axis=1, keepdims=True) if metric == "cosine" else codes
    # Those without a thumbnail are on the map, too.
    assert found.image_id.tolist() == image_id.tolist()
    assert dict(zip(image_id.tolist(), found.neighbour.tolist(), strict=True)) == nearest(vectors, image_id)
    expected = np.sort(cdist(vectors, vectors), axis=1)[:, 1:6]
    np.testing.assert_allclose(found.distance, expected, rtol=1e-6)


def test_of_codes_that_tie_the_smaller_id_is_nearer_on_the_map(make):
    # On a grid most distances are equal to several others.
    ties = np.stack(np.divmod(np.arange(COUNT), 8), axis=1).astype(np.float32)
    image_id, paths = make(ties)
    found = run(paths).on_map
    assert dict(zip(image_id.tolist(), found.neighbour.tolist(), strict=True)) == nearest(ties, image_id)


def test_a_copy_is_the_nearest_on_the_map_and_no_image_its_own(make, codes):
    codes[9] = codes[20] = codes[3]
    digest = np.arange(COUNT, dtype=np.uint8)[:, None].repeat(16, 1)
    digest[[3, 9, 20]] = 3
    image_id, paths = make(codes, digest=digest)
    found = run(paths).on_map
    first = {place: found.neighbour[place, :2].tolist() for place in (3, 9, 20)}
    assert first == {
        place: [one for one in image_id[[3, 9, 20]].tolist() if one != image_id[place]] for place in first
    }
    assert not found.distance[[3, 9, 20], :2].any()
    assert not (found.neighbour == image_id[:, None]).any()


def test_of_three_images_two_are_nearest_on_the_map(make, codes):
    image_id, paths = make(codes[:3], probe=())
    near = run(paths).on_map.neighbour
    assert [set(row) for row in near.tolist()] == [{*image_id.tolist()} - {one} for one in image_id.tolist()]


def test_of_many_images_those_of_the_map_are_compared(make, codes):
    image_id, paths = make(codes)
    found = run(paths, images=12, seed=3).on_map
    # As `add_viewer` draws the points of the map.
    rows = np.random.default_rng(3).choice(np.arange(COUNT), 12, replace=False)
    assert found.image_id.tolist() == sorted(image_id[rows].tolist())
    assert np.isin(found.neighbour, found.image_id).all()


def test_without_probes_labels_are_compared_all_the_same(make, codes):
    _, paths = make(codes)
    write_status(paths["probes"], not_run("probes"), stage="probes", version=VERSION)
    found = run(paths)
    assert len(found.probe) == 0
    assert found.spaces["codes"].summary is not None


def test_equal_bytes_twice(make, codes):
    _, paths = make(codes)
    run(paths)
    first = bytes_below(paths["out"].parent)
    run(paths)
    assert bytes_below(paths["out"].parent) == first


def test_stage_that_is_left_out_reads_nothing(tmp_path):
    paths = {"out": tmp_path / "neighbours.h5", "metrics": tmp_path / "neighbours.json"}
    assert run(paths, run=False) == not_run("neighbours")


def test_an_even_number_of_bins_is_refused():
    with pytest.raises(ValidationError, match="must be odd"):
        neighbours.Params(**PARAMS | {"colour_bins": 8})
