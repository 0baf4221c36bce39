import pytest

from pipeline.report.escaping import address, visible


@pytest.mark.parametrize(
    ("text", "expected"),
    [("plain, ünïcode", "plain, ünïcode"), ("a\nb", "a\\nb"), ("\u202egnp", "\\u202egnp"), ("\x00", "\\x00")],
)
def test_control_characters_are_visible(text, expected):
    assert visible(text) == expected


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
