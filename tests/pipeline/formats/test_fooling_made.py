import numpy as np

from pipeline.formats.fooling import read_fooling, write_fooling
from pipeline.formats.fooling_made import ENCODINGS
from tests.small.fooling import FOUND


def test_evolved_images_stand_by_their_encoding(tmp_path):
    write_fooling(tmp_path / "fooling.h5", FOUND, made_from={})
    found = read_fooling(tmp_path / "fooling.h5").evolved
    assert tuple(found) == ENCODINGS
    for name, one in found.items():
        for part, values in vars(FOUND.evolved[name]).items():
            np.testing.assert_array_equal(getattr(one, part), values)
            assert getattr(one, part).dtype == values.dtype, part
