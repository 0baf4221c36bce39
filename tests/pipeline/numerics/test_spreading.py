import pytest

from pipeline.numerics.spreading import even_places, evenly_spread


@pytest.mark.parametrize(
    ("count", "most", "expected"),
    [(5, 9, [0, 1, 2, 3, 4]), (9, 3, [0, 4, 8]), (10, 4, [0, 3, 6, 9]), (3, 1, [0]), (0, 4, []), (4, 0, [])],
)
def test_places_are_spread_evenly_from_the_first_to_the_last(count, most, expected):
    assert even_places(count, most).tolist() == expected


def test_no_place_is_taken_twice():
    for count in range(1, 60):
        for most in range(1, 60):
            assert len(set(even_places(count, most).tolist())) == min(count, most)


def test_things_are_those_in_the_places():
    assert evenly_spread("abcdefghij", 4) == ["a", "d", "g", "j"]
