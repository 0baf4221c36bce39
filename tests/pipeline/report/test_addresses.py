import pytest

from pipeline.report.addresses import address, image_page, layer_page, unit_page


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a b/ü#?.png", "a%20b/%C3%BC%23%3F.png"),
        ("javascript:x", "javascript%3Ax"),
        ("\"'<>", "%22%27%3C%3E"),
        ("50%.png", "50%25.png"),
    ],
)
def test_paths_become_relative_addresses(path, expected):
    assert address(path) == expected


def test_addresses_of_pages_stand():
    assert layer_page("features.1") == "layers/features-1.html"
    assert unit_page("features.1", 17, drawn=True) == "units/features-1/17.html"
    assert unit_page("features.1", 17, drawn=False) == "unit.html#features.1/17"
    assert image_page("a b/1.png") == "image.html#path=a%20b/1.png"
