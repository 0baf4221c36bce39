import numpy as np

from pipeline.formats.class_models import VERSION, read_class_models, write_class_models
from pipeline.formats.status import not_run, write_status
from tests.small.class_models import FOUND


def test_they_are_read_back(tmp_path):
    write_class_models(tmp_path / "models.h5", FOUND, made_from={})
    found = read_class_models(tmp_path / "models.h5")
    for name, values in vars(FOUND).items():
        assert np.asarray(getattr(found, name)).dtype == np.asarray(values).dtype
        np.testing.assert_array_equal(getattr(found, name), values)


def test_a_status_comes_back(tmp_path):
    write_status(tmp_path / "models.h5", not_run("class_models"), stage="class_models", version=VERSION)
    assert read_class_models(tmp_path / "models.h5") == not_run("class_models")
