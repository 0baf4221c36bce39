"""Slugs of layers."""

import re

import pytest

from pipeline.contents.slugs import layer_file, layer_slug


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("features.1", "features-1"),
        ("layer4.2.conv1", "layer4-2-conv1"),
        ("Mixed_5b.branch1x1", "~mixed_5b-branch1x1"),
        ("a-b", "a~.2db"),
        ("é", "~.c3~.a9"),
        ("aux", "~.61ux"),
        ("aux.conv", "aux-conv"),
        ("", "~."),
    ],
)
def test_a_slug_follows_from_the_name_alone(name, slug):
    assert layer_slug(name) == slug


def test_different_names_differ_on_every_file_system():
    names = [
        "a.b",
        "a-b",
        "A.b",
        "a_b",
        "a~b",
        "~a.b",
        "a..b",
        "~.61.b",
        ".a.b",
        "a.b.",
        "x" * 300,
        "x" * 301,
    ]
    slugs = {layer_slug(name).lower() for name in names}
    assert len(slugs) == len(names)


def test_a_slug_is_a_safe_file_name():
    for name in ("..", ".", "/etc/passwd", "a\\b", "nul", "COM1", "a b", "<x>", "\u202e", "y" * 5000):
        slug = layer_slug(name)
        assert re.fullmatch(r"[a-z0-9_~.-]+", slug) and slug not in (".", "..") and len(slug) < 200


def test_a_file_of_a_layer_bears_its_name_beside_its_folder():
    assert layer_file("features.0", "units.csv") == "features-0/features-0-units.csv"
