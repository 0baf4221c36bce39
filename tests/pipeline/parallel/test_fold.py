"""Reductions over shards, here and on Dask's workers."""

import os
import signal

import numpy as np
import pytest

from pipeline import store
from pipeline.analyses.embedding import components
from pipeline.analyses.embedding.components import reduce_codes
from pipeline.errors import UserError
from pipeline.numerics.pca import principal_components
from pipeline.parallel.fold import fold, map_in_order, split
from pipeline.topk import ranking
from pipeline.topk.ranking import rank
from tests.small.artifacts import write_activations

RNG = np.random.default_rng(4)
IMAGES, WIDTH = 97, 12


@pytest.mark.parametrize(("count", "parts"), [(1, 4), (4, 4), (10, 3), (7, 100), (0, 3)])
def test_split_covers_all_in_nearly_equal_runs(count, parts):
    runs = [range(count)[run] for run in split(count, parts)]
    assert [number for run in runs for number in run] == list(range(count))
    assert max(map(len, runs)) - min(map(len, runs)) <= 1
    assert len(runs) == max(1, min(parts, count))


@pytest.mark.parametrize("large", [False, True])
def test_fold_merges_from_first_to_last(workers, large):
    jobs = list("convatlas")
    assert fold(str.upper, str.__add__, jobs, large=large, label="") == "CONVATLAS"
    assert map_in_order(str.upper, jobs, large=large, label="") == list("CONVATLAS")


@pytest.mark.parametrize("large", [False, True])
def test_error_of_a_job_is_raised(workers, large):
    with pytest.raises(ValueError, match="invalid literal"):
        fold(int, int.__add__, ["1", "x"], large=large, label="")
    with pytest.raises(ValueError, match="invalid literal"):
        map_in_order(int, ["1", "x"], large=large, label="")


def die_at_three(job):
    if job == "shard 3":
        os.kill(os.getpid(), signal.SIGKILL)
    return [job]


def test_a_job_that_ends_its_workers_is_named_in_one_line(workers):
    jobs = [f"shard {number}" for number in range(6)]
    with pytest.raises(UserError, match=r"^adding: shard 3 ends every process .*CONVATLAS_WORKERS"):
        map_in_order(die_at_three, jobs, large=True, label="adding")


def test_a_worker_that_is_lost_by_chance_changes_nothing(workers, tmp_path):
    jobs = [tmp_path / name for name in "abcd"]
    assert map_in_order(die_once, jobs, large=True, label="") == list("abcd")


def die_once(job):
    if job.name == "b" and not job.exists():
        job.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return job.name


@pytest.fixture(scope="module")
def activations(tmp_path_factory):
    """Codes and maxima in shards of uneven length, one of them empty."""
    folder = tmp_path_factory.mktemp("activations")
    codes = (RNG.normal(size=(IMAGES, WIDTH)) * np.arange(1, WIDTH + 1)).astype(np.float32)
    values = np.maximum(np.round(RNG.normal(size=(IMAGES, 4)), 1), 0).astype(np.float32)
    arrays = {"codes": codes, "maxima/relu/value": values}
    arrays["maxima/relu/position"] = RNG.integers(0, 8, (IMAGES, 4, 2)).astype(np.uint16)
    write_activations(folder, (7, 20, 0, 13, 1, 56), **arrays)
    return folder, codes, values


def test_large_and_small_rankings_are_equal_and_right(workers, activations):
    folder, _, values = activations
    image_id = store.open_activations(folder).image_id
    order = np.lexsort((np.tile(image_id[:, None], 4), -values), axis=0)[:9].T
    for large in (0, 1 << 40):
        found = rank(folder, 9, large=large)["relu"]
        assert found.image_id.tolist() == image_id[order].tolist()
        assert found.value.tolist() == np.take_along_axis(values, order.T, 0).T.tolist()
        assert found.count_active.tolist() == (values > 0).sum(0).tolist()


def deadly(function):
    """A function that ends the process over the last shard but one."""

    def die_or_call(part, **options):
        if part.shards.start == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(part, **options)

    return die_or_call


@pytest.mark.parametrize(
    ("module", "name", "reduction"),
    [
        (ranking, "rank_part", lambda folder: rank(folder, 9, large=0)),
        (components, "moments_of", lambda folder: reduce_codes(folder, 5, "cosine", large=0)),
    ],
)
def test_shards_that_end_their_workers_are_named(workers, activations, monkeypatch, module, name, reduction):
    monkeypatch.setattr(module, name, deadly(getattr(module, name)))
    with pytest.raises(UserError, match="activations0, shards 4 to 4 ends every process"):
        reduction(activations[0])


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_large_and_small_components_are_equal_and_those_of_the_whole(workers, activations, metric):
    folder, codes, _ = activations
    rows = codes / np.linalg.norm(codes, axis=1, keepdims=True) if metric == "cosine" else codes
    expected = principal_components(lambda: [rows], WIDTH, 5)
    found = [reduce_codes(folder, 5, metric, large=large) for large in (0, 1 << 40)]
    for axes, points in found:
        np.testing.assert_allclose(axes.axes, expected.axes, atol=1e-6)
        np.testing.assert_allclose(points, expected.project(rows), atol=1e-4)
        assert axes.count == IMAGES
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_codes_too_wide_for_a_square_matrix(workers, activations, monkeypatch):
    folder, codes, _ = activations
    monkeypatch.setattr("pipeline.analyses.embedding.components.WIDEST_SCATTER", 4)
    monkeypatch.setattr("pipeline.numerics.pca.WIDEST_SCATTER", 4)
    _, points = reduce_codes(folder, 3, "euclidean")
    expected = principal_components(lambda: [codes], WIDTH, 3).project(codes)
    np.testing.assert_allclose(points, expected, atol=1e-2)


@pytest.mark.parametrize("large", [0, 1 << 40])
def test_what_is_not_a_number_is_refused_in_one_line(workers, tmp_path, large):
    codes = np.ones((12, 4), np.float32)
    codes[5, 2] = np.nan
    arrays = {"codes": codes, "maxima/relu/value": codes}
    arrays["maxima/relu/position"] = np.zeros((12, 4, 2), np.uint16)
    write_activations(tmp_path, (4, 8), **arrays)
    with pytest.raises(UserError, match=r"layer 'relu': unit 2 is NaN .* check the weights"):
        rank(tmp_path, 2, large=large)
    with pytest.raises(UserError, match="codes: NaN or infinite"):
        reduce_codes(tmp_path, 2, "euclidean", large=large)
