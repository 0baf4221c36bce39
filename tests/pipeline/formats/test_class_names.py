import pytest

from pipeline import store
from pipeline.errors import UserError
from pipeline.formats.class_names import VERSION, ClassNames, read_class_names, write_class_names

NAMES = ClassNames(("tench", "één"), ("crane (output 0)", "x", "y"))


def test_what_is_written_is_read_back(tmp_path):
    write_class_names(tmp_path / "class_names.h5", NAMES, made_from={"weights": "00"})
    assert read_class_names(tmp_path / "class_names.h5") == NAMES


def test_a_dataset_without_classes(tmp_path):
    write_class_names(tmp_path / "class_names.h5", ClassNames((), ("x",)), made_from={})
    assert read_class_names(tmp_path / "class_names.h5") == ClassNames((), ("x",))


def test_another_version_is_refused(tmp_path):
    with store.write(tmp_path / "class_names.h5", stage="predictions", version=VERSION + 1):
        pass
    with pytest.raises(UserError, match="run its stage again"):
        read_class_names(tmp_path / "class_names.h5")
