"""What the user says of the classes, looked at before anything runs."""

import pytest

from pipeline.errors import UserError
from stages.blocks import predictions


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("mapping.csv", "class,output\n", "no column 'dataset_class'"),
        ("imagenet_class_index.json", "{}", "lists no class"),
    ],
)
def test_a_mistake_in_the_classes_is_found_by_the_check(tmp_path, monkeypatch, name, text, message):
    monkeypatch.chdir(tmp_path)
    predictions.check({}, None)
    (tmp_path / "inputs" / "classes").mkdir(parents=True)
    (tmp_path / "inputs" / "classes" / name).write_text(text)
    with pytest.raises(UserError, match=message):
        predictions.check({}, None)
