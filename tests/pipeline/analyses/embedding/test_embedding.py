"""Maps by t-SNE."""

import numpy as np
import openTSNE
import pytest
from openTSNE.affinity import MultiscaleMixture

from pipeline.analyses.embedding.embedding import embed, measure, start
from pipeline.errors import UserError
from pipeline.numerics.curves import z_order

FAST = {"iterations": 100, "seed": 3}


@pytest.fixture(scope="module")
def clusters():
    rng = np.random.default_rng(0)
    label = np.repeat(np.arange(4), 40)
    points = (rng.normal(size=(4, 10)) * 6)[label] + rng.normal(size=(160, 10))
    points -= points.mean(axis=0)
    axes = np.linalg.svd(points, full_matrices=False)[2]
    return points @ axes.T, label


@pytest.fixture(scope="module")
def made(clusters):
    return embed(clusters[0], **FAST)


def test_equal_input_gives_equal_bytes(clusters, made):
    again = embed(clusters[0], **FAST)
    assert again.xy.tobytes() == made.xy.tobytes()
    assert again.kl == made.kl


def in_place(xy):
    return np.arange(len(xy))


def test_the_phases_are_those_of_opentsne(clusters, monkeypatch):
    monkeypatch.setattr("pipeline.analyses.embedding.embedding.z_order", in_place)
    monkeypatch.setattr("pipeline.analyses.embedding.embedding.EARLY_ITERATIONS", 60)
    monkeypatch.setattr("pipeline.analyses.embedding.embedding.EARLY_INTERVALS", 50)
    monkeypatch.setattr("pipeline.analyses.embedding.embedding.LATE_TREE", 0)
    monkeypatch.setattr("pipeline.analyses.embedding.embedding.LAST_BY_TREE", 0)
    points = clusters[0].astype(float)
    optimiser = openTSNE.TSNE(
        perplexity=[30], early_exaggeration_iter=60, n_iter=60, random_state=FAST["seed"], neighbors="exact",
        knn_kwargs={"algorithm": "brute"}, negative_gradient_method="fft",
    )  # fmt: skip
    expected = optimiser.fit(points, initialization=start(points, FAST["seed"]))
    found = embed(clusters[0], **FAST | {"iterations": 60})
    np.testing.assert_array_equal(found.xy, np.asarray(expected, np.float32))
    assert found.kl == pytest.approx(expected.kl_divergence, rel=1e-5)


@pytest.mark.parametrize("largest_tree", [0, 1000])
def test_the_order_in_memory_changes_nothing_but_the_last_bits(clusters, monkeypatch, largest_tree):
    """Sums of another order round otherwise, and later iterations make more of it: so there are few."""
    monkeypatch.setattr("pipeline.analyses.embedding.embedding.EARLY_ITERATIONS", 20)
    monkeypatch.setattr("pipeline.analyses.embedding.embedding.LATE_TREE", largest_tree)
    monkeypatch.setattr("pipeline.analyses.embedding.embedding.LAST_BY_TREE", 10)
    few = FAST | {"iterations": 20}
    found = embed(clusters[0], **few)
    monkeypatch.setattr("pipeline.analyses.embedding.embedding.z_order", in_place)
    expected = embed(clusters[0], **few)
    assert (z_order(found.xy) != np.arange(160)).any()
    np.testing.assert_allclose(found.xy, expected.xy, atol=1e-5 * np.abs(expected.xy).max())
    assert found.kl == pytest.approx(expected.kl, rel=1e-5)


@pytest.mark.parametrize(
    ("largest_tree", "last", "used"),
    [
        (161, 30, {"fft": 250, "bh": 100}),
        (160, 30, {"fft": 320, "bh": 30}),
        (160, 200, {"fft": 250, "bh": 100}),
    ],
)
def test_each_phase_has_its_approximation(clusters, monkeypatch, largest_tree, last, used):
    counted = {"fft": 0, "bh": 0}
    optimize = openTSNE.TSNEEmbedding.optimize

    def spy(self, iterations, *, negative_gradient_method, **more):
        counted[negative_gradient_method] += iterations
        return optimize(self, iterations, negative_gradient_method=negative_gradient_method, **more)

    monkeypatch.setattr("openTSNE.TSNEEmbedding.optimize", spy)
    monkeypatch.setattr("pipeline.analyses.embedding.embedding.LATE_TREE", largest_tree)
    monkeypatch.setattr("pipeline.analyses.embedding.embedding.LAST_BY_TREE", last)
    found = embed(clusters[0], **FAST)
    assert counted == used
    assert measure(clusters[0], found, clusters[1], size=1000, seed=0)["trustworthiness"] > 0.9


def test_two_threads_repeat(clusters, monkeypatch):
    monkeypatch.setattr("pipeline.analyses.embedding.embedding.EARLY_ITERATIONS", 20)
    few = FAST | {"iterations": 20}
    once, again = (embed(clusters[0], n_jobs=2, **few) for _ in range(2))
    assert once.xy.tobytes() == again.xy.tobytes()


def test_classes_lie_apart(clusters, made):
    quality = measure(clusters[0], made, clusters[1], size=1000, seed=0)
    centres = np.stack([made.xy[clusters[1] == one].mean(axis=0) for one in range(4)])
    nearest = ((made.xy[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == clusters[1]).all()
    assert quality["trustworthiness"] > 0.9
    assert quality["knn"] > 0.4
    assert quality["cpd"] > 0.3


def test_kl_is_that_of_the_final_map(clusters, made):
    """From the definition: P of the same perplexity, Q of Student's t on the map."""
    affinities = MultiscaleMixture(clusters[0], [30], method="exact").P.toarray()
    squared = ((made.xy[:, None].astype(float) - made.xy) ** 2).sum(axis=2)
    similarity = 1 / (1 + squared)
    np.fill_diagonal(similarity, 0)
    similarity /= similarity.sum()
    used = affinities > 0
    expected = (affinities[used] * np.log(affinities[used] / similarity[used])).sum()
    # Barnes-Hut approximates the sum over all pairs.
    assert made.kl == pytest.approx(expected, abs=0.03)


def test_start_is_opentsnes_own(clusters):
    ours = start(clusters[0], seed=5)
    theirs = openTSNE.initialization.pca(clusters[0], random_state=5, svd_solver="full")
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=5e-6)
    assert ours[:, 0].std() == pytest.approx(1e-4, rel=1e-2)


def test_start_of_one_dimension_is_a_line_with_jitter():
    first = start(np.arange(20.0)[:, None], seed=0)
    assert 0 < first[:, 1].std() < first[:, 0].std() / 50


@pytest.mark.parametrize(
    ("perplexity", "expected"), [((10.0,), (10.0,)), ((30.0,), (19 / 3,)), ((2.0, 90.0), (2.0, 19 / 3))]
)
def test_effective_perplexity_is_what_was_used(clusters, perplexity, expected):
    count = 160 if perplexity == (10.0,) else 20
    found = embed(clusters[0][:count], perplexity=perplexity, **FAST)
    assert found.effective_perplexity == pytest.approx(expected)


def test_landmarks_then_the_rest_beside_them(clusters):
    points, label = clusters
    found = embed(points, landmarks=100, **FAST)
    assert len(found.landmark) == 100
    assert np.isfinite(found.xy).all()
    rest = np.setdiff1d(np.arange(160), found.landmark)
    own = ((found.xy[rest, None] - found.xy[found.landmark]) ** 2).sum(axis=2).argmin(axis=1)
    assert (label[found.landmark][own] == label[rest]).mean() > 0.95
    quality = measure(points, found, label, size=1000, seed=0)
    assert quality["landmark_trustworthiness"] > 0.85
    assert quality["trustworthiness"] > 0.85


def test_landmarks_lie_where_their_own_map_puts_them(clusters):
    points, _ = clusters
    found = embed(points, landmarks=100, **FAST)
    alone = embed(points[found.landmark], **FAST)
    offset = found.xy[found.landmark] - alone.xy
    np.testing.assert_allclose(offset, np.broadcast_to(offset[0], offset.shape), atol=1e-3)


@pytest.mark.parametrize("count", [5, 6, 12])
def test_few_points(clusters, count):
    found = embed(clusters[0][:count], **FAST)
    assert np.isfinite(found.xy).all()
    quality = measure(clusters[0][:count], found, clusters[1][:count], size=10, seed=0)
    assert quality["trustworthiness"] is None
    assert quality["knc"] is None
    # All 4, 5 or 10 others are among the ten nearest.
    assert quality["knn"] is None or 0 <= quality["knn"] <= 1
    assert (quality["knn"] is None) == (count <= 11)


def test_duplicates_do_not_break_the_map(clusters):
    points = np.repeat(clusters[0][::16], 16, axis=0)
    assert np.isfinite(embed(points, **FAST).xy).all()


def test_constant_input_is_refused():
    with pytest.raises(UserError, match="every image has the same code"):
        embed(np.ones((30, 4)))


def test_too_few_points_are_refused():
    with pytest.raises(UserError, match="at least 5 images, and there are 4"):
        embed(np.eye(4))


def test_nan_is_refused():
    points = np.eye(8)
    points[3, 3] = np.nan
    with pytest.raises(UserError, match="NaN or infinite"):
        embed(points)
