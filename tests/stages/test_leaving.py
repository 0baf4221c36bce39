from pipeline import store
from pipeline.formats.status import Status, status_of
from stages.leaving import leave


def test_a_reason_is_left_in_place_of_data_and_no_number(tmp_path):
    status = Status("not applicable", "the network has no layer")
    paths = {"out": tmp_path / "out.h5", "metrics": tmp_path / "out.json"}
    leave(status, paths, stage="quiet", version=7, made_from={"params": "1"})
    with store.read(paths["out"], version=7) as file:
        assert status_of(file) == status
    assert paths["metrics"].read_text() == "{}\n"
