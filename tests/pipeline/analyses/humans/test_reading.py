import pytest

from pipeline.analyses.humans.naming import Names
from pipeline.analyses.humans.reading import annotators_of, find_files, read_answers
from pipeline.errors import UserError

NAMES = Names(["cat/1.png", "cat/2.png", "dog/3.png"], ["cat", "dog", "fox"])


@pytest.fixture
def read(tmp_path):
    def made(text, *, strict=True, encoding="utf-8", name="anna.csv"):
        (tmp_path / name).write_bytes(text.encode(encoding))
        return read_answers(find_files(tmp_path), NAMES, strict=strict)

    return made


def test_answers_with_all_columns(read):
    given = read(
        "path,annotator,label,label_2,condition,confidence\n"
        "cat/1.png,bob,dog,cat,short,0.5\ncat/1.png,bob,none,,long,\n"
    )
    first, second = given.answers
    assert (first.path, first.annotator, first.condition) == ("cat/1.png", "bob", "short")
    assert (first.guesses, first.confidence) == (("dog", "cat"), 0.5)
    assert (second.guesses, second.confidence) == (("",), None)
    assert list(annotators_of(given)) == [("bob", 2)]


@pytest.mark.parametrize(("separator", "encoding"), [(";", "utf-8-sig"), ("\t", "utf-16"), ("|", "utf-8")])
def test_separators_and_encodings(read, separator, encoding):
    given = read("path,label\ncat/1.png,cat\n".replace(",", separator), encoding=encoding)
    assert [(one.annotator, one.guesses) for one in given.answers] == [("anna", ("cat",))]


def test_a_table_of_counts(read):
    given = read("path,dog,cat,none\ncat/1.png,3,7,1\n", name="many.csv")
    assert given.counts == {"many": {"cat/1.png": {"dog": 3, "cat": 7, "": 1}}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,label\ncat/1.png,cta\n", "line 2: the label 'cta' is no class of the dataset; did you mean"),
        ("path,label\ncat/9.png,cat\n", "line 2: no image 'cat/9.png' in the dataset"),
        ("path,label\ncat/1.png,cat\ncat/1.png,dog\n", "line 3: 'anna' has labelled 'cat/1.png' already"),
        ("path,label\ncat/1.png\n", "line 2: 1 cells, the header has 2"),
        ("path,label\ncat/1.png,\n", "line 2: the label is empty; write none"),
        ("path,label,anotator\ncat/1.png,cat,x\n", "no column 'anotator' is known; did you mean 'annotator'"),
        ("path,label,label\n", "line 1: the header has a column twice"),
        ("image,label\ncat/1.png,cat\n", "line 1: no column 'path'"),
        ("path,label,label_2\ncat/1.png,cat,cat\n", "line 2: two guesses name one class"),
        ("path,label,confidence\ncat/1.png,cat,80\n", "line 2: confidence must be a number from 0 to 1"),
        ("path,cat,bird\ncat/1.png,1,2\n", "line 1: no column 'label', and the column 'bird' is no class"),
        ("path,cat,dog\ncat/1.png,1,-2\n", "line 2: column 'dog' must be a count of people, got '-2'"),
        ("path,cat,dog\ncat/1.png,0,0\n", "line 2: nobody chose any class"),
        ("path,cat,dog\ncat/1.png,1,2\ncat/1.png,1,2\n", "line 3: 'cat/1.png' is counted already"),
        ("path,label\ncat/1.png,\"cat\x00\n", "line"),
        ("", "is empty"),
        ("version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_file_and_line(read, text, said):
    with pytest.raises(UserError, match=r"anna\.csv: ") as error:
        read(text)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_text_that_is_not_utf8_is_named_with_its_line(read):
    with pytest.raises(UserError, match="line 2: not UTF-8"):
        read("path,label\ncaf\xe9,cat\n", encoding="latin-1")


def test_one_answer_may_be_given_under_two_conditions_but_not_in_two_files(read, tmp_path):
    text = "path,label,condition,annotator\ncat/1.png,cat,a,bob\ncat/1.png,cat,b,bob\n"
    assert len(read(text).answers) == 2
    with pytest.raises(
        UserError, match=r"b\.csv: line 2: 'bob' has labelled 'cat/1.png' already in line 2 of anna"
    ):
        read(text, name="b.csv")


def test_images_that_the_run_lacks_are_counted_unless_none_is_there(read):
    given = read("path,label\ncat/1.png,cat\ncat/9.png,cat\n", strict=False)
    assert (len(given.answers), given.unknown.total()) == (1, 1)
    with pytest.raises(UserError, match="names no image of the dataset"):
        read("path,label\ncat/9.png,cat\n", strict=False)


def test_another_file_is_refused(tmp_path):
    (tmp_path / "a.xlsx").touch()
    (tmp_path / ".gitkeep").touch()
    with pytest.raises(UserError, match=r"a\.xlsx: is no CSV"):
        find_files(tmp_path)
