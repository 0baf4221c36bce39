import pytest

from pipeline.analyses.humans.choices import read_choices, sort_files
from pipeline.analyses.humans.naming import Names
from pipeline.errors import UserError

NAMES = Names(["a/0.png", "a/1.png", "b/2.png"], ["a", "b"])
HEADER = "annotator,layer,unit,left,right,more,network\n"
LINE = "anna,conv1,3,a/0.png,b/2.png,left,00ff\n"


def read(tmp_path, text, name="anna.csv", strict=True):
    (tmp_path / name).write_text(text)
    return read_choices([tmp_path / name], NAMES, strict=strict)


def test_a_line_is_an_answer(tmp_path):
    found = read(tmp_path, HEADER + LINE + "ben,conv1,3,1,2,Unsure,\n")
    first, second = found.choices
    assert (first.annotator, first.layer, first.unit, first.more, first.network) == (
        "anna",
        "conv1",
        3,
        0,
        "00ff",
    )
    assert (first.left, first.right) == ("a/0.png", "b/2.png")
    assert (second.left, second.right, second.more, second.network) == ("a/1.png", "b/2.png", -1, "")


def test_a_spreadsheet_may_have_saved_it(tmp_path):
    (tmp_path / "Ben.csv").write_bytes(
        "layer;unit;left;right;more\n'-x;0;a/0.png;a/1.png;right\n".encode("utf-16")
    )
    answers, chosen = sort_files([tmp_path / "Ben.csv"])
    assert not answers
    (one,) = read_choices(chosen, NAMES, strict=True).choices
    assert (one.annotator, one.layer, one.more) == ("Ben", "-x", 1)


def test_files_are_told_apart_by_their_columns(tmp_path):
    texts = {"labels": "path,label\n", "counts": "path,a,b\n", "units": HEADER, "wrong": "layer,unit,lefft\n",
             "empty": "", "other": "label,x\n"}  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    answers, chosen = sort_files([tmp_path / name for name in texts])
    assert [path.name for path in chosen] == ["units", "wrong"]
    assert [path.name for path in answers] == ["labels", "counts", "empty", "other"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("layer,unit,left,right,mor\n", r"anna\.csv: line 1: no column 'mor' is known; did you mean 'more'"),
        ("layer,unit,left,right\n", r"line 1: no column 'more'; the header is layer,unit"),
        ("layer,unit,left,right,more,more\n", "line 1: the header has a column twice"),
        (HEADER + LINE + "anna,conv1\n", "line 3: 2 cells, the header has 7"),
        (HEADER + ",,3,a/0.png,b/2.png,left,\n", "line 2: the layer is empty"),
        (HEADER + LINE.replace(",3,", ",x,"), "line 2: the unit must be a whole number, got 'x'"),
        (HEADER + LINE.replace(",3,", ",-3,"), "line 2: the unit must be"),
        (HEADER + LINE.replace("left", "up"), "line 2: more must be left, right or unsure, got 'up'"),
        (HEADER + LINE.replace("b/2", "b/3"), "line 2: no image 'b/3.png' in the dataset"),
        (HEADER + LINE.replace("b/2", "a/0"), "line 2: left and right are one image"),
        (
            HEADER + LINE + "anna,conv1,3,b/2.png,a/0.png,left,00ff\n",
            r"line 3: 'anna' has answered this already in line 2 of anna\.csv",
        ),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(tmp_path, text, said):
    with pytest.raises(UserError, match=said) as raised:
        read(tmp_path, text)
    assert "\n" not in str(raised.value)


def test_images_that_are_gone_are_counted_where_that_is_no_mistake(tmp_path):
    found = read(tmp_path, HEADER + LINE + LINE.replace("b/2", "b/3"), strict=False)
    assert len(found.choices) == 1 and found.unknown == {"anna.csv": 1}
