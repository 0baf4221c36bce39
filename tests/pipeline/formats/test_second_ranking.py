from dataclasses import replace

import numpy as np

from pipeline.formats.second_ranking import (
    FILE,
    LayerRanking,
    SecondRanking,
    lost_share,
    read_second_ranking,
    write_second_ranking,
)


def ranking(units, ranks, seed=0):
    rng = np.random.default_rng(seed)
    return LayerRanking(
        np.sort(rng.random((units, ranks), np.float32))[:, ::-1],
        rng.integers(0, 99, (units, ranks)),
        rng.integers(0, 9, (units, ranks, 2)).astype(np.uint16),
        rng.permuted(np.tile(np.arange(ranks, dtype=np.uint16), (units, 1)), axis=1),
        rng.integers(0, 99, units),
        rng.integers(1, 9, units),
    )


BOUNDED = replace(ranking(2, 3), input=np.array([[9, 8, 7], [6, 5, 4]], np.float32))
SECOND = SecondRanking(
    {"relu": ranking(4, 3), "features.0": BOUNDED}, 17, 40, np.array([3, 8]), "float32", 32, "AVX2"
)


def test_what_is_written_is_read_back(tmp_path):
    write_second_ranking(tmp_path, SECOND, made_from={"weights": "00"}, versions=("numpy",))
    found = read_second_ranking(tmp_path)
    assert list(found.layers) == ["relu", "features.0"]
    for layer, ranked in found.layers.items():
        for name, values in vars(ranked).items():
            expected = getattr(SECOND.layers[layer], name)
            if expected is None:
                assert values is None
                continue
            assert values.dtype == expected.dtype
            np.testing.assert_array_equal(values, expected)
    assert found.sample.tolist() == [3, 8]
    others = {"layers": None, "sample": None}
    assert vars(found) | others == vars(SECOND) | others
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_folder_may_have_none(tmp_path):
    assert read_second_ranking(tmp_path) is None


def test_the_first_ranks_and_what_they_share_with_those_before():
    ranked = LayerRanking(
        np.array([[3, 3, 2, 1], [0, 0, 0, 0]], np.float32),
        np.array([[5, 9, 7, 4], [0, 1, 2, 3]]),
        np.zeros((2, 4, 2), np.uint16),
        np.array([[2, 1, 3, 0], [0, 1, 2, 3]], np.uint16),
        np.array([4, 0]),
        np.array([2, 4]),
    )
    assert ranked.first(2).image_id.tolist() == [[5, 9], [0, 1]]
    # The second unit is never active.
    assert ranked.overlap(2) == 0.5
    assert ranked.overlap(1) == 0.0


def test_overlap_of_units_that_are_never_active_is_no_number():
    silent = LayerRanking(**(vars(ranking(2, 3)) | {"count_active": np.zeros(2, np.int64)}))
    assert np.isnan(silent.overlap(1))


def test_every_image_of_the_sample_among_the_best_stands_for_those_that_were_left_out():
    image_id = np.array([[5, 9], [7, 5], [1, 2], [1, 2]])
    shown = np.array([[True, True], [True, True], [True, True], [True, False]])
    # 9 and 7 of a sample of four are winners of a unit each; 2 was a candidate.
    sample = np.array([7, 9, 20, 30])
    assert lost_share(image_id, shown, sample, left=6) == 2 * (6 / 4) / 4
    assert lost_share(image_id, shown, np.array([2]), left=2) == 1 * 2 / 4
    assert lost_share(image_id, shown, sample, left=0) == 0
    assert lost_share(image_id, shown, np.empty(0, int), left=5) == 0
    assert lost_share(image_id, shown, sample, left=1000) == 1
