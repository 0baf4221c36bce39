import numpy as np
import pytest

from pipeline import store
from pipeline.errors import UserError
from pipeline.formats.status import (
    DONE,
    Status,
    mark,
    not_run,
    read_artifact,
    status_of,
    write_status,
)

NOT_RUN = not_run("toy")
NOT_APPLICABLE = Status("not applicable", "the dataset has no labels — none at all")


@pytest.mark.parametrize("status", [NOT_RUN, NOT_APPLICABLE])
def test_an_artifact_may_hold_its_status_alone(tmp_path, status):
    path = tmp_path / "toy.h5"
    write_status(path, status, stage="toy", version=3, made_from={"params": "00"})
    with store.read(path, version=3) as file:
        assert status_of(file) == status
        assert file.children() == []
        assert file.attributes()["digest_params"] == "00"


def test_the_status_stands_beside_the_data(tmp_path):
    with store.write(tmp_path / "toy.h5", stage="toy", version=1) as file:
        mark(file)
        file.put("value", np.arange(3))
    with store.read(tmp_path / "toy.h5", version=1) as file:
        assert status_of(file) == DONE
        assert file.get("value").tolist() == [0, 1, 2]


def test_what_is_read_is_the_data_or_why_there_are_none(tmp_path):
    with store.write(tmp_path / "done.h5", stage="toy", version=1) as file:
        mark(file)
        file.put("value", np.arange(3))
    write_status(tmp_path / "none.h5", NOT_RUN, stage="toy", version=1)
    found = [
        read_artifact(tmp_path / name, 1, lambda file: file.get("value").tolist())
        for name in ("done.h5", "none.h5")
    ]
    assert found == [[0, 1, 2], NOT_RUN]


def test_equal_statuses_give_equal_bytes(tmp_path):
    for name in ("a.h5", "b.h5"):
        write_status(tmp_path / name, NOT_RUN, stage="toy", version=1)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_another_version_is_refused(tmp_path):
    write_status(tmp_path / "toy.h5", NOT_RUN, stage="toy", version=1)
    with pytest.raises(UserError, match=r"toy\.h5: format version 1, not 2; run its stage again"):
        read_artifact(tmp_path / "toy.h5", 2, store.Reader.children)


@pytest.mark.parametrize("attributes", [{}, {"status": "lost", "status_reason": ""}, {"status": "done"}])
def test_an_artifact_without_a_known_status_is_named(tmp_path, attributes):
    with store.write(tmp_path / "toy.h5", stage="toy", version=1) as file:
        file.set_attributes("", attributes)
    with pytest.raises(UserError, match=r"toy\.h5: bears no status .*run its stage again"):
        read_artifact(tmp_path / "toy.h5", 1, store.Reader.children)


@pytest.mark.parametrize(("state", "reason"), [("lost", "x"), ("not run", ""), ("done", "a reason")])
def test_a_status_that_says_nothing_cannot_be_made(state, reason):
    with pytest.raises(ValueError, match=r"must be one of|a reason goes with"):
        Status(state, reason)
