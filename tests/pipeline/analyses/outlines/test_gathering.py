from types import SimpleNamespace

import numpy as np
import torch

from pipeline.analyses.outlines.gathering import gatherings
from pipeline.formats.geometry import LayerGeometry
from pipeline.numerics.geometry import ReceptiveField

RANDOM = np.random.default_rng(0)
IMAGES, SIZE = 400, (3, 2)
UNITS, WINNERS = [4, 1], [[7, 300, -1], [2, 7, 399]]
FIELD = ReceptiveField((3, 3), (1, 1), (-1, -1), "exact")
DRAWN = SimpleNamespace(
    unit=np.array(UNITS), image_id=np.array(WINNERS), key=np.ones((2, 3), np.float32),
    geometry=LayerGeometry(SIZE, FIELD),
)  # fmt: skip
VALUES = RANDOM.standard_normal((IMAGES, 5, *SIZE)).astype(np.float32)
SAMPLED = np.arange(IMAGES) % 4 > 0


def gathered(room, parts):
    """Gather a layer twice over, beside each other, its images in parts that are merged."""
    found = gatherings({"a": DRAWN, "b": DRAWN}, int(SAMPLED.sum()), room)
    for rows in parts:
        some = gatherings({"a": DRAWN, "b": DRAWN}, int(SAMPLED.sum()), room)
        for sign, one in ((1, some["a"]), (-1, some["b"])):
            one.take(rows.tolist(), SAMPLED[rows], torch.from_numpy(sign * VALUES[rows]))
        for name, one in some.items():
            found[name].merge(one.seen())
    return found


def test_parts_come_to_what_all_images_come_to():
    length = 2 * len(UNITS) * 3 * SIZE[0] * SIZE[1]
    rooms = [np.zeros(length, np.float16) for _ in range(2)]
    whole, apart = (
        gathered(room, np.array_split(np.arange(IMAGES), count))
        for room, count in zip(rooms, (1, 7), strict=True)
    )
    np.testing.assert_array_equal(*rooms)
    for name, sign in (("a", 1), ("b", -1)):
        values = sign * VALUES[:, UNITS]
        np.testing.assert_array_equal(whole[name].maps[1, 2], values[399, 1].astype(np.float16))
        expected = np.quantile(
            values[SAMPLED].swapaxes(0, 1).reshape(2, -1), 0.995, axis=1, method="inverted_cdf"
        )
        for one in (whole[name], apart[name]):
            np.testing.assert_array_equal(one.tail.level(), expected)
            assert one.winners.found.tolist() == [[True, True, False], [True, True, True]]
        np.testing.assert_array_equal(whole[name].winners.largest, apart[name].winners.largest)
