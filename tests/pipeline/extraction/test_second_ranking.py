"""Half precision: the candidates of each unit, forwarded again in float32."""

import numpy as np
import pytest

from pipeline import store
from pipeline.errors import UserError
from pipeline.extraction import extraction, second_ranking
from pipeline.formats.second_ranking import FILE, read_second_ranking
from tests.end_to_end.artifact_tables import faults, read_document
from tests.end_to_end.project import ROOT
from tests.small.extraction import extract_small, make_manifest, write_images
from tests.small.files import bytes_below

CANDIDATES = 12


@pytest.fixture(scope="module")
def made(inputs, workers):
    """The same images in float32 and in bfloat16, with a second ranking."""
    for name, precision in (("exact", "float32"), ("half", "bfloat16"), ("once_more", "bfloat16")):
        extract_small(
            inputs / "manifest.h5", inputs / "weights", inputs / name, precision=precision,
            candidates=CANDIDATES,
        )  # fmt: skip
    return inputs


def exact_ranking(folder, layer, ranks):
    """Return values and ids (U, R) of the first ranks of a pass in float32."""
    exact = store.open_activations(folder)
    values = exact.read(f"maxima/{layer}/value").T
    order = np.argsort(-values, axis=1, kind="stable")[:, :ranks]
    return np.take_along_axis(values, order, 1), exact.image_id[order]


def test_where_candidates_are_in_most_images_the_ranking_is_that_of_float32(made):
    """All images are forwarded again, in the batches of a pass in float32: not a bit differs."""
    found, half = read_second_ranking(made / "half"), store.open_activations(made / "half")
    assert (found.images, found.left, len(found.sample)) == (60, 0, 0)
    exact = store.open_activations(made / "exact")
    assert list(found.layers) == exact.layers
    for layer, ranked in found.layers.items():
        value, image_id = exact_ranking(made / "exact", layer, CANDIDATES)
        np.testing.assert_array_equal(ranked.image_id, image_id)
        np.testing.assert_array_equal(ranked.value, value)
        position = exact.read(f"maxima/{layer}/position")
        units, rows = np.arange(len(value))[:, None], np.searchsorted(exact.image_id, image_id)
        np.testing.assert_array_equal(ranked.position, position[rows, units])
        both = exact.read(f"maxima/{layer}/value"), half.read(f"maxima/{layer}/value")
        assert ranked.count_active.tolist() == np.maximum(*((v > 0).sum(0) for v in both)).tolist()
        assert ranked.count_at_maximum.tolist() == (both[0] == both[0].max(0)).sum(0).tolist()
        assert found.lost(layer, 5) == 0


@pytest.fixture
def few(made, tmp_path, monkeypatch):
    """A layer of one value an image and unit, few candidates, and no more images by lot than four."""
    monkeypatch.setenv("CONVATLAS_SHARDS", str(tmp_path / "pool"))
    monkeypatch.setattr(second_ranking, "SAMPLE", 4)
    monkeypatch.setattr(second_ranking, "ONE_OF", 1000)
    return lambda name, candidates: extract_small(
        made / "manifest.h5", made / "weights", tmp_path / name, precision="bfloat16",
        candidates=candidates, layers=("classifier.1",),
    )  # fmt: skip


def test_what_is_lacking_is_estimated_on_images_drawn_by_lot(made, few, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(second_ranking, "TOLERANCE", 1.0)
    caplog.set_level("INFO")
    few("few", 1)
    found = read_second_ranking(tmp_path / "few")
    half = store.open_activations(tmp_path / "few").read("maxima/classifier.1/value")
    candidates = np.unique(half.argmax(0))
    assert found.images == len(candidates) + 4 < 40 and found.left == 60 - found.images
    assert not np.isin(found.sample, candidates).any()
    ranked = found.layers["classifier.1"]
    exact = store.open_activations(made / "exact").read("maxima/classifier.1/value")
    forwarded = np.union1d(candidates, found.sample)
    assert ranked.image_id[:, 0].tolist() == forwarded[exact[forwarded].argmax(0)].tolist()
    assert "4 others drawn by lot" in caplog.text


def test_units_that_lack_too_much_get_more_candidates(few, tmp_path, monkeypatch):
    monkeypatch.setattr(second_ranking, "TOLERANCE", -1.0)
    few("more", 1)
    found = read_second_ranking(tmp_path / "more")
    assert (found.images, found.left) == (60, 0)


def test_candidates_in_more_than_half_of_the_images_mean_all_images(made, few, tmp_path, monkeypatch):
    monkeypatch.setattr(second_ranking, "TOLERANCE", 1.0)
    few("most", 2)
    half = store.open_activations(tmp_path / "most").read("maxima/classifier.1/value")
    candidates = np.unique(np.argsort(-half, axis=0, kind="stable")[:2])
    assert 30 < len(candidates) < 56, "with four by lot that is not all of them, else this shows nothing"
    found = read_second_ranking(tmp_path / "most")
    assert (found.images, found.left, len(found.sample)) == (60, 0, 0)


def test_second_ranking_is_nearer_to_float32(made):
    exact, half = (store.open_activations(made / name) for name in ("exact", "half"))
    ranked = read_second_ranking(made / "half").layers
    before = after = 0
    for layer in exact.layers:
        truth = np.argsort(-exact.read(f"maxima/{layer}/value"), axis=0, kind="stable")[:5].T
        first = np.argsort(-half.read(f"maxima/{layer}/value"), axis=0, kind="stable")[:5].T
        second = np.searchsorted(exact.image_id, ranked[layer].image_id[:, :5])
        before += sum(len(set(a) & set(b)) for a, b in zip(truth.tolist(), first.tolist(), strict=True))
        after += sum(len(set(a) & set(b)) for a, b in zip(truth.tolist(), second.tolist(), strict=True))
    assert after > before


def test_two_passes_give_equal_bytes(made):
    assert bytes_below(made / "half") == bytes_below(made / "once_more")


def test_float32_has_no_second_ranking(made):
    assert read_second_ranking(made / "exact") is None


def test_file_is_as_documented(made):
    described = read_document((ROOT / "docs" / "artifacts.md").read_text(encoding="utf-8"))
    assert list(faults(made / "half" / FILE, described[f"activations/{FILE}"])) == []


def test_half_precision_is_refused_a_candidate_that_is_gone(made, tmp_path, monkeypatch):
    write_images(tmp_path / "dataset", 20)
    make_manifest(tmp_path / "dataset", tmp_path / "manifest.h5")
    monkeypatch.setenv("CONVATLAS_SHARDS", str(tmp_path / "pool"))
    monkeypatch.setenv("CONVATLAS_DEVICE", "cpu")
    monkeypatch.setenv("CONVATLAS_WORKERS", "1")
    second_pass = extraction.SecondPass

    def lose_one(*arguments):
        (tmp_path / "dataset" / "1" / "0001.png").unlink()
        return second_pass(*arguments)

    monkeypatch.setattr(extraction, "SecondPass", lose_one)
    with pytest.raises(UserError, match="changed during the run"):
        extract_small(
            tmp_path / "manifest.h5", made / "weights", tmp_path / "activations", precision="bfloat16"
        )
    assert not (tmp_path / "activations").exists()
