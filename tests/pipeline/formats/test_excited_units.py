from dataclasses import replace

import numpy as np

from pipeline.formats.excited_units import VERSION, ExcitedUnits, read_excited_units, write_excited_units
from pipeline.formats.status import not_run, write_status

FOUND = ExcitedUnits(
    ("relu", "pool"), 40, 7, np.array([2, 5]), layer=np.array([[0, 1], [1, -1]]),
    unit=np.array([[3, 0], [2, -1]]), rank=np.array([[1, 8], [40, -1]]),
    value=np.array([[2.5, 0], [1, np.nan]], np.float32),
)  # fmt: skip


def test_units_come_back(tmp_path):
    write_excited_units(tmp_path / "excited_units.h5", FOUND, made_from={})
    found = read_excited_units(tmp_path / "excited_units.h5")
    for name, value in vars(FOUND).items():
        if isinstance(value, np.ndarray):
            assert getattr(found, name).dtype == value.dtype
            np.testing.assert_array_equal(getattr(found, name), value)
        else:
            assert getattr(found, name) == value


def test_a_status_comes_back(tmp_path):
    status = not_run("excited_units")
    write_status(tmp_path / "excited_units.h5", status, stage="excited_units", version=VERSION)
    assert read_excited_units(tmp_path / "excited_units.h5") == status


def test_an_image_that_excites_no_unit_stands_last():
    assert replace(FOUND, rank=np.array([[3, 8], [-1, -1]])).first.tolist() == [3, 40]
