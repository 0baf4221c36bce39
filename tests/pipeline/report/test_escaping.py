import pytest

from pipeline.report.escaping import visible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, ünïcode", "plain, ünïcode"),
        ("a\nb", "a\\nb"),
        ("\u202egnp", "\\u202egnp"),
        ("\x00", "\\x00"),
        ("97\u00a0%", "97\u00a0%"),
    ],
)
def test_control_characters_are_visible(text, expected):
    assert visible(text) == expected
