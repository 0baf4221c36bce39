from dataclasses import dataclass

import numpy as np

from pipeline.numerics.rows import joined


@dataclass(frozen=True)
class Points:
    place: np.ndarray
    name: np.ndarray


def test_rows_follow_each_other():
    parts = [Points(np.full((count, 2), count), np.array(["ab"[count - 1]] * count)) for count in (1, 2)]
    found = joined(parts)
    assert found.place.tolist() == [[1, 1], [2, 2], [2, 2]]
    assert found.name.tolist() == ["a", "b", "b"]
    assert isinstance(found, Points)
