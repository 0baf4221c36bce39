from pipeline.formats.quiet import read_quiet
from pipeline.formats.status import not_run
from stages.quiet import Params, run


def test_stage_that_is_left_out_reads_nothing(tmp_path):
    run(Params(run=False, level=0.0), {"out": tmp_path / "quiet.h5"})
    assert read_quiet(tmp_path / "quiet.h5") == not_run("quiet")
