"""What classes and outputs are called."""

import numpy as np

from pipeline.analyses.predictions.naming import name_classes, name_outputs

FISH = {"n01440764": "tench", "n01443537": "goldfish"}


def test_an_id_is_called_as_the_index_says_else_as_its_output():
    found = name_classes(
        ["n01440764", "n01443537", "golf_ball"], np.array([0, 1, 2]), ["a", "Goldfish", "golf ball"],
        {"n01440764": "tench"},
    )  # fmt: skip
    assert found == ("tench", "Goldfish", "golf_ball")


def test_an_id_of_which_nothing_is_known_stays():
    found = name_classes(["n01440764", "n01443537"], np.array([-1, 1]), ["0", "1"], {})
    assert found == ("n01440764", "n01443537")


def test_classes_of_one_name_have_their_ids_beside_it():
    found = name_classes(["n02012849", "n03126707"], np.array([134, 517]), ["crane"] * 600, {})
    assert found == ("crane (n02012849)", "crane (n03126707)")


def test_outputs_that_are_ids_or_numbers_are_called_as_their_classes():
    ids = ["n01440764", "n01443537"]
    assert name_outputs(ids, np.array([0, 1]), ["x", "y"], FISH) == ("tench", "goldfish")
    # Output 0 stands for one class, output 1 for two, output 2 for none.
    found = name_outputs(["0", "1", "2"], np.array([0, 1, 1]), ["tench", "cat", "dog"], {})
    assert found == ("tench", "output 1", "output 2")


def test_bare_numbers_are_said_to_be_outputs_unless_classes_are_called_so():
    assert name_outputs(["0", "1"], np.array([], int), [], {}) == ("output 0", "output 1")
    # Of digits that the dataset has in part, the others are digits as well.
    assert name_outputs(["0", "1", "2"], np.array([0, 1]), ["0", "1"], {}) == ("0", "1", "2")
    assert name_outputs(["1", "0"], np.array([], int), [], {}) == ("1", "0")


def test_outputs_of_one_name_have_their_numbers_beside_it():
    found = name_outputs(["crane", "x", "crane"], np.array([2]), ["n03126707"], {})
    assert found == ("crane (output 0)", "x", "crane (output 2)")
