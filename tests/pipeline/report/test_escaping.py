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
        ("👩\u200d👧 क्\u200dष می\u200cروم", "👩\u200d👧 क्\u200dष می\u200cروم"),
        ("a\u200db \u200d👧 👧\u200d", "a\\u200db \\u200d👧 👧\\u200d"),
    ],
)
def test_control_characters_are_visible(text, expected):
    assert visible(text) == expected
