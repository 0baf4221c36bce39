"""The valid name that a wrong one was probably meant to be."""

import pytest

from pipeline.errors import nearest


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("featurs.1", "features.1"),
        ("FEATURES.1", "features.1"),
        ("imagenet_v1", "IMAGENET1K_V1"),
        ("", None),
        ("zebra", None),
    ],
)
def test_nearest_name(name, meant):
    assert nearest(name, ["features.1", "classifier", "IMAGENET1K_V1"]) == meant


def test_nothing_is_near_where_there_is_nothing():
    assert nearest("conv", []) is None
