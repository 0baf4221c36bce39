import numpy as np

from pipeline.formats.second_ranking import (
    FILE,
    LayerRanking,
    SecondRanking,
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
    )


SECOND = SecondRanking({"relu": ranking(4, 3), "features.0": ranking(2, 3)}, 17, "float32", 32, "AVX2")


def test_what_is_written_is_read_back(tmp_path):
    write_second_ranking(tmp_path, SECOND, made_from={"weights": "00"}, versions=("numpy",))
    found = read_second_ranking(tmp_path)
    assert list(found.layers) == ["relu", "features.0"]
    for layer, ranked in found.layers.items():
        for name, values in vars(ranked).items():
            expected = getattr(SECOND.layers[layer], name)
            assert values.dtype == expected.dtype
            np.testing.assert_array_equal(values, expected)
    assert vars(found) | {"layers": None} == vars(SECOND) | {"layers": None}
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
    )
    assert ranked.first(2).image_id.tolist() == [[5, 9], [0, 1]]
    # The second unit is never active.
    assert ranked.overlap(2) == 0.5
    assert ranked.overlap(1) == 0.0


def test_overlap_of_units_that_are_never_active_is_no_number():
    silent = LayerRanking(**(vars(ranking(2, 3)) | {"count_active": np.zeros(2, np.int64)}))
    assert np.isnan(silent.overlap(1))
