from pipeline.formats.status import Status, read_status
from stages.leaving import leave


def test_a_reason_is_left_in_place_of_data_and_no_number(tmp_path):
    status = Status("not applicable", "the network has no layer")
    paths = {"out": tmp_path / "out.h5", "metrics": tmp_path / "out.json"}
    leave(status, paths, stage="quiet", version=7, made_from={"params": "1"})
    assert read_status(paths["out"], version=7) == status
    assert paths["metrics"].read_text() == "{}\n"
