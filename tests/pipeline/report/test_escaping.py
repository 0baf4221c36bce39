import pytest

from pipeline.report.escaping import named, visible


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


def test_a_path_is_written_part_by_part_where_a_letter_goes_to_the_left():
    assert named("a<b>/1\n.png") == "a&lt;b&gt;/1\\n.png"
    assert named("שלום <b>/03.png") == ('<bdi dir="ltr"><bdi>שלום &lt;b&gt;</bdi>/<bdi>03</bdi>.png</bdi>')


def test_only_isolates_of_our_own_become_elements():
    assert named("א\u2069\u2066") == '<bdi dir="ltr"><bdi>א\\u2069\\u2066</bdi></bdi>'
