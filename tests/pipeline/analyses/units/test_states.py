import numpy as np

from pipeline.analyses.units.states import dead_units, nearly_dead_units, resting_units, saturated_units

# Over 2,000 images of one output: dead, positive on one image, never positive but not zero, on half of them.
SMALLEST, LARGEST = np.array([0, 0, -2, 0], np.float32), np.array([0, 5, -1, 7], np.float32)
ACTIVE, APOZ = np.array([0, 1, 0, 1000]), np.array([1, 0.9995, 0, 0.5])


def test_dead_is_what_puts_out_nothing_but_zeros():
    assert dead_units(SMALLEST, LARGEST, APOZ).tolist() == [True, False, False, False]
    assert dead_units(SMALLEST, LARGEST, None).tolist() == [True, False, False, False]


def test_a_maximum_of_zero_over_negative_outputs_is_not_dead():
    assert dead_units(SMALLEST, LARGEST, np.array([0.4, 0.9995, 0, 0.5])).tolist() == [False] * 4


def test_nearly_dead_is_positive_on_few_images_and_else_zero():
    for apoz in (APOZ, None):
        rests = resting_units(SMALLEST, ACTIVE, 2000, apoz)
        assert nearly_dead_units(ACTIVE, 2000, rests, 0.001).tolist() == [False, True, False, False]


def test_a_unit_that_is_not_zero_elsewhere_is_not_nearly_dead():
    rests = resting_units(np.zeros(1, np.float32), np.array([1]), 2000, np.array([0.2]))
    assert nearly_dead_units(np.array([1]), 2000, rests, 0.001).tolist() == [False]


def test_saturated_is_what_lies_at_either_end_often_enough():
    top, bottom = np.array([5, 4, 0, 0]), np.array([0, 0, 5, 0])
    assert saturated_units(top, bottom, 10, 0.5).tolist() == [True, False, True, False]
