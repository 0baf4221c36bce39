import pytest

from pipeline.dataset.isolation import isolated

OWN, RIGHTWARD, END = "\u2068", "\u2066", "\u2069"


@pytest.mark.parametrize("name", ["cat/1.jpg", "Čeština", "क्षत्रिय/7.png", "漢字 12", "👩\u200d👧", ""])
def test_a_name_that_is_written_to_the_right_stays_as_it_is(name):
    assert isolated(name) == name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("כלב 12", [("כלב 12", "")]),
        ("قطة (2)/03.png", [("قطة (2)", "/"), ("03", ".png")]),
        ("cat/צורה.png", [("cat", "/"), ("צורה", ".png")]),
        ("צורה.ד", [("צורה.ד", "")]),
        ("/א/", [("", "/"), ("א", "/")]),
    ],
)
def test_each_part_of_another_is_enclosed(name, parts):
    inner = "".join((part and f"{OWN}{part}{END}") + after for part, after in parts)
    assert isolated(name) == f"{RIGHTWARD}{inner}{END}"
