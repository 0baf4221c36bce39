"""CSV datasets: what is read, and the line that an error names."""

import pytest

from pipeline.dataset.dataset import open_dataset
from pipeline.errors import UserError
from pipeline.manifest.csv_records import scan_csv
from pipeline.manifest.record import Record


@pytest.fixture
def read(tmp_path):
    def read(text, encoding="utf-8"):
        path = tmp_path / "images.csv"
        path.write_text(text, encoding=encoding)
        return scan_csv(path)

    return read


def test_paths_alone(read):
    scan = read("path\nb.png\na.png\n./c//d.png\n")
    assert scan.records == [Record("a.png"), Record("b.png"), Record("c/d.png")]
    assert scan.classes == []


def test_labels_splits_and_attributes(read):
    scan = read(
        "path,label,split,size,mtime,light,where\na.png,dog,Training,12,34,0.5,sea\nb.png,cat,test,,,,\n"
    )
    first, second = scan.records
    assert (first.label, first.split, first.size, first.mtime) == ("dog", "train", 12, 34)
    assert first.attributes == {"light": "0.5", "where": "sea"}
    assert (second.label, second.split, second.size, second.mtime) == ("cat", "test", None, None)
    assert scan.classes == ["cat", "dog"]


def test_several_boxes_an_image(read):
    scan = read("path,label,x0,y0,x1,y1\na.png,1,0,0,2,3\nb.png,2,,,,\na.png,1,-4,5.5,6,7\n")
    assert scan.records[0].boxes == ((0.0, 0.0, 2.0, 3.0), (-4.0, 5.5, 6.0, 7.0))
    assert scan.records[1].boxes == ()
    assert not scan.upright
    assert read("# boxes: upright\npath\na.png\n").upright


def test_absolute_path_below_the_root_is_told_how_to_be_written(read, tmp_path):
    with pytest.raises(UserError, match=r"line 2: .* write 'cat/1\.png'$"):
        read(f"path,label\n{tmp_path}/cat/1.png,cat\n")


def test_column_beside_the_labels_may_be_called_class(read):
    assert read("path,label,class\na.png,dog,mammal\n").records[0].attributes == {"class": "mammal"}


def test_classes_by_name_or_number(read):
    scan = read("# classes: dog, cat\npath,label\na.png,cat\nb.png,0\n")
    assert [record.label for record in scan.records] == ["cat", "dog"]
    assert scan.classes == ["dog", "cat"]


def test_marks_of_excel_and_quoted_formulas(read):
    scan = read('path,label\r\n\'=cmd.png,\'-x\r\n"a,b ""c"".png",\'@y\r\n', encoding="utf-8-sig")
    assert [record.path for record in scan.records] == ["=cmd.png", 'a,b "c".png']
    assert [record.label for record in scan.records] == ["-x", "@y"]


def test_control_characters_and_odd_bytes_are_escaped(read):
    scan = read('path,label\n"a\nb.png",<script>\n"caf\\xe9.png",x\n')
    assert [record.path for record in scan.records] == ["a\\x0ab.png", "caf\\xe9.png"]


MISTAKES = [
    ("", "no header"),
    (
        "file,label\n",
        "line 1: no column 'path'; the header is file,label, .* images path and .* classes label",
    ),
    ("a/b.png,cat\n", "line 1: no column 'path'; the header is a/b.png,cat, and is to name the columns"),
    ("path,Category,age\n", "line 1: no column 'label', but 'Category'; call it label, or otherwise"),
    ("path,Label\n", "line 1: no column 'label', but 'Label'"),
    ("path,LABEL\n", "line 1: no column 'label', but 'LABEL'"),
    (
        "path\n/far/away.png\n",
        "line 2: .*/far/away.png' leads out .* root, .*: name the folder .* '# root: FOLDER'",
    ),
    ("path,path\n", "line 1.*twice"),
    ("path,a/b\n", "line 1.*a/b"),
    ("path,x0,y0\n", "line 1.*x0,y0,x1,y1"),
    ("path,label\na.png,cat\nb.png,\n", "line 3: the label is missing"),
    ("path,label\na.png,\nb.png,cat\n", "line 2: the label is missing"),
    ("path,label\na.png,-1\n", "line 2: the label -1 is out of range"),
    ("# classes: a,b\npath,label\nx.png,2\n", "line 3: the label '2' is none of the 2 classes"),
    ("# classes: a,b\npath,label\nx.png,c\n", "line 3: the label 'c'"),
    ("path,split\na.png,test\nb.png,\n", "line 3: the split is missing"),
    ("path,label\na.png\n", "line 2: 1 cells, the header has 2"),
    ("path\n../a.png\n", "line 2.*leads out"),
    ("path\nok.png\n/etc/passwd\n", "line 3.*leads out"),
    ('path\n""\n', "line 2.*leads out"),
    ("path,size\na.png,big\n", "line 2: size"),
    ("path,mtime\na.png,-3\n", "line 2: mtime"),
    (f"path,size\na.png,{2**63}\n", "line 2: size"),
    (f"path,size\na.png,{'9' * 5000}\n", "line 2: size"),
    ("path,a\0b\na.png,1\n", "line 1.*attribute"),
    (f"path\n{'x' * 200_000}\n", "after line 1: not a CSV"),
    ("# classes: a,b,a\npath,label\nx.png,a\n", "'a' twice"),
    ("path,x0,y0,x1,y1\na.png,1,2,1e300,3\n", "line 2.*x0 < x1"),
    ("path,x0,y0,x1,y1\na.png,1,2,3,\n", "line 2.*four numbers"),
    ("path,x0,y0,x1,y1\na.png,1,2,1,3\n", "line 2.*x0 < x1"),
    ("path,x0,y0,x1,y1\na.png,1,2,nan,3\n", "line 2.*x0 < x1"),
    ("path,label\na.png,x\nb.png,y\n./a.png,x\n", "line 4: 'a.png' is listed already in line 2"),
    ("path,label,x0,y0,x1,y1\na.png,x,0,0,1,1\na.png,y,1,1,2,2\n", "line 3.*another label"),
    ("# roots: x\npath\na\n", "unknown setting 'roots'"),
    ("# boxes: odd\npath\na\n", "stored, upright"),
    ("# labels: none\npath\na\n", "valid: all, some"),
    ("# labels: some\npath,label,split\na.png,,\nb.png,x,test\n", "line 3: the split is missing"),
    ('path,label\n"a\nb.png",x\nc.png,\n', "line 4: the label is missing"),
]


@pytest.mark.parametrize(("text", "words"), MISTAKES)
def test_mistakes_are_named_with_their_line(read, text, words):
    with pytest.raises(UserError, match=words):
        read(text)


def test_some_images_may_have_no_label_where_that_is_said(read):
    text = "path,label\na.png,cat\nb.png,\n"
    assert [record.label for record in read(f"# labels: some\n{text}").records] == ["cat", None]
    with pytest.raises(UserError, match="line 3: the label is missing; .*'# labels: some' allows it"):
        read(text)


def test_not_utf8(tmp_path):
    path = tmp_path / "images.csv"
    path.write_bytes(b"path\n" + b"".join(b"%d.png\n" % n for n in range(5000)) + b"caf\xe9.png\n")
    with pytest.raises(UserError, match="line 5002: not UTF-8"):
        scan_csv(path)


def test_a_root_that_is_not_there(tmp_path):
    path = tmp_path / "images.csv"
    for root in ("nowhere", "a\0b"):
        path.write_text(f"# root: {root}\npath\na.png\n")
        with pytest.raises(UserError, match="root: .*no such folder"):
            open_dataset(path)


def test_paths_of_windows(read, tmp_path):
    for name in ("cat/xab/1.png", "cat/2.png", "pics/xab.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    scan = read("path,label\ncat\\xab\\1.png,cat\ncat\\2.png,cat\npics\\xab.png,cat\nnot\\there.png,cat\n")
    assert [record.path for record in scan.records] == [
        "cat/2.png", "cat/xab/1.png", "not/there.png", "pics/xab.png",
    ]  # fmt: skip


def test_a_backslash_in_the_name_of_a_file_stays(read, tmp_path):
    for name in ("a\\b.png", "a\\xab.png"):
        (tmp_path / name).touch()
    assert [record.path for record in read("path\na\\b.png\na\\xab.png\n").records] == [
        "a\\x5cb.png", "a\\x5cxab.png",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "path", ["C:\\images\\1.png", "D:/images/1.png", "..\\1.png", "\\\\server\\1.png", "\\x2fetc\\x2fpasswd"]
)
def test_paths_of_windows_that_leave_are_refused_with_their_line(read, path):
    with pytest.raises(UserError, match=r"line 3: the path .*(drive|leads out)"):
        read(f"path\nok.png\n{path}\n")


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators(read, separator):
    text = "path,label,note\na.png,cat,x\nb.png,dog,y\n".replace(",", separator)
    assert [record.label for record in read(text).records] == ["cat", "dog"]
    with pytest.raises(UserError, match="line 3: 2 cells, the header has 3"):
        read("path,label,note\na.png,cat,x\nb.png,dog\n".replace(",", separator))


def test_excels_line_that_names_the_separator(read):
    assert [record.label for record in read("sep=;\npath;label\na.png;cat\n").records] == ["cat"]


def test_commas_within_cells_of_another_separator(read):
    record = read('path;label\n"a;b,c.png";x,y\n').records[0]
    assert (record.path, record.label) == ("a;b,c.png", "x,y")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_other_encodings_with_a_mark(read, encoding):
    scan = read("# classes: café, thé\npath,label\né.png,café\n", encoding=encoding)
    assert (scan.records[0].path, scan.records[0].label) == ("é.png", "café")


@pytest.mark.parametrize(
    ("names", "numbers"),
    [("", "{}"), ("Unnamed: 0", "{}"), (",Unnamed: 0", "{},{}"), (",Unnamed: 0.1", "{},{}")],
)
def test_the_row_numbers_of_pandas_are_passed_over(read, names, numbers):
    rows = [numbers.format(row, row) for row in range(2)]
    scan = read(f"{names},path,label\n{rows[0]},a.png,cat\n{rows[1]},b.png,dog\n")
    assert [(record.path, record.label, dict(record.attributes)) for record in scan.records] == [
        ("a.png", "cat", {}), ("b.png", "dog", {}),
    ]  # fmt: skip
    with pytest.raises(UserError, match="without a name"):
        read("path,,\na.png,1,2\n")


def test_what_systems_leave_behind_is_passed_over_and_counted(read):
    scan = read(
        "path,label\ncat/1.png,cat\ncat/._1.png,cat\n__MACOSX/cat/1.png,cat\n.hidden/2.png,cat\n"
        "cat/.ipynb_checkpoints/1-checkpoint.png,cat\n"
    )
    assert [record.path for record in scan.records] == [".hidden/2.png", "cat/1.png"]
    assert scan.passed_over == {"._*": 1, "__MACOSX": 1, ".ipynb_checkpoints": 1}


def test_a_git_lfs_pointer_in_place_of_a_csv(read):
    with pytest.raises(UserError, match="Git LFS pointer"):
        read("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")


def test_what_was_understood(read):
    scan = read("path,label,split\na.png,dog,train\nb.png,cat,test\n")
    assert scan.understood == "2 classes, the column 'label': cat, dog; splits: test, train"
