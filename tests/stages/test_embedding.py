"""The stage `embedding`."""

import json
from functools import partial

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline import store
from pipeline.formats.embedding import read_embedding
from pipeline.formats.status import Status
from stages import embedding
from tests.small.artifacts import write_activations, write_manifest
from tests.small.files import bytes_below

PARAMS = {
    "metric": "euclidean",
    "components": 10,
    "perplexity": 5,
    "exaggeration": 1,
    "iterations": 50,
    "landmarks": 1000,
    "quality_sample": 1000,
    "grid_block": 100,
    "seed": 0,
    "n_jobs": 1,
}


@pytest.fixture
def codes():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(4, 12)) * 5)[np.arange(40) % 4] + rng.normal(size=(40, 12))


@pytest.fixture
def run(tmp_path):
    def once(codes, name="a", label=None, **changes):
        write_activations(tmp_path / "activations", codes=codes.astype(np.float32))
        label = np.arange(80) % 4 if label is None else label
        manifest = write_manifest(tmp_path / "manifest.h5", label, ["a", "b", "c", "d"])
        paths = {
            "activations": tmp_path / "activations",
            "manifest": manifest,
            "out": tmp_path / name / "embedding.h5",
            "metrics": tmp_path / name / "embedding.json",
        }
        embedding.run(embedding.Params(**{**PARAMS, **changes}), paths)
        return paths

    return once


def test_writes_one_row_an_image_with_its_label(run, codes):
    paths = run(codes, label=np.arange(80))
    image_id = store.open_activations(paths["activations"]).image_id
    with store.read(paths["out"], version=None) as file:
        np.testing.assert_array_equal(file.get("image_id"), image_id)
        np.testing.assert_array_equal(file.get("label"), image_id)
        assert file.get("xy").shape == (40, 2)
        assert file.get("xy").dtype == np.float32
        grid, shape = file.get("grid"), file.attributes()["grid_shape"]
    assert tuple(shape) == (7, 6)
    assert len({tuple(cell) for cell in grid.tolist()}) == 40
    assert (grid < shape).all()


def test_metrics_are_the_attributes(run, codes):
    paths = run(codes)
    metrics = json.loads(paths["metrics"].read_text())
    with store.read(paths["out"], version=None) as file:
        attributes = file.attributes()
    for name, value in metrics.items():
        assert attributes[name] == pytest.approx(value, rel=1e-5)
    assert {"kl", "knn", "knc", "cpd", "trustworthiness", "effective_perplexity"} <= set(metrics)


def test_equal_bytes_twice(run, codes):
    first, second = (run(codes, name)["out"].parent for name in ("a", "b"))
    assert bytes_below(first) == bytes_below(second)


def test_seed_and_metric_change_the_map(run, codes):
    maps = [store.digest(run(codes, **change)["out"]) for change in ({}, {"seed": 1}, {"metric": "cosine"})]
    assert len(set(maps)) == 3


def test_cosine_does_not_see_lengths(run, codes):
    scale = 2.0 ** np.arange(-20, 20)[:, None]
    found = []
    for rows in (codes, codes * scale):
        with store.read(run(rows, metric="cosine")["out"], version=None) as file:
            found.append(file.get("xy"))
    np.testing.assert_array_equal(*found)


def test_too_large_a_perplexity_is_recorded_and_said(run, codes, caplog):
    paths = run(codes, perplexity=(4, 30))
    metrics = json.loads(paths["metrics"].read_text())
    assert metrics["effective_perplexity_1"] == 4
    assert metrics["effective_perplexity_2"] == 13
    assert "too large for 40 images; used 4, 13" in caplog.text


def test_an_exaggeration_is_recorded_where_there_is_one(run, codes):
    plain, drawn = (json.loads(run(codes, exaggeration=one)["metrics"].read_text()) for one in (1, 4))
    assert "exaggeration" not in plain and drawn["exaggeration"] == 4


def test_landmarks_are_recorded_with_quality_of_both(run, codes):
    paths = run(codes, landmarks=30)
    metrics = json.loads(paths["metrics"].read_text())
    assert metrics["landmarks"] == 30
    assert metrics["landmark_knn"] > 0.3
    with store.read(paths["out"], version=None) as file:
        assert file.shape("landmark") == (30,)


def test_unlabelled_images_have_no_class_neighbours(run, codes):
    metrics = json.loads(run(codes, label=np.full(80, -1))["metrics"].read_text())
    assert "knc" not in metrics
    assert "class_neighbours" not in metrics


def none_of(paths):
    """Return why there is no map, having seen that there is none and that the metrics say how many images."""
    found = read_embedding(paths["out"])
    assert isinstance(found, Status) and found.state == "not applicable"
    assert list(json.loads(paths["metrics"].read_text())) == ["images"]
    return found.reason


@pytest.mark.parametrize("value", [0, 7.5, 0.1, 1e-7 / 3])
def test_equal_codes_make_no_map_and_it_is_said(run, value):
    assert "The codes of all 40 images are the same" in none_of(run(np.full((40, 6), value)))


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_codes_that_differ_by_round_off_make_no_map(run, codes, metric):
    """Of 80 identical images the codes differed by 1.5e-8, and the map had a trustworthiness of 1.000."""
    one = np.tile(codes[:1].astype(np.float32), (40, 1))
    noise = np.random.default_rng(0).integers(-2, 3, one.shape) * np.spacing(one)
    assert "as far as the round-off of float32" in none_of(run(one + noise, metric=metric))


def test_a_few_different_codes_make_no_map(run, codes):
    assert "The 40 images have 3 different codes" in none_of(run(codes[np.arange(40) % 3]))
    assert not isinstance(read_embedding(run(codes[np.arange(40) % 5], name="b")["out"]), Status)


@pytest.mark.parametrize(("rows", "said"), [((1,), "there is one"), ((2, 2), "there are 4")])
def test_one_to_four_images_make_no_map(run, codes, tmp_path, rows, said):
    write = partial(write_activations, rows_of_shards=rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.stages.test_embedding.write_activations", write)
        assert said in none_of(run(codes[: sum(rows)]))


@pytest.mark.parametrize(
    "change", [{"perplexity": 0}, {"perplexity": ()}, {"n_jobs": 0}, {"metric": "cos"}, {"x": 1}]
)
def test_impossible_params_are_refused(change):
    with pytest.raises(ValidationError):
        embedding.Params(**{**PARAMS, **change})
