import pytest

from stages import times
from stages.command import Stage, execute
from stages.times import Ran, main, read_times, table


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("stages.command._die_with_parent", lambda: None)


def test_a_stage_that_ends_leaves_its_time_and_one_that_fails_does_not():
    def fail(params, paths):
        raise ZeroDivisionError

    assert execute(Stage("quick", lambda params, paths: None), None, []) == 0
    with pytest.raises(ZeroDivisionError):
        execute(Stage("broken", fail), None, [])
    (ran,) = read_times(times.TIMES)
    assert ran.stage == "quick" and ran.seconds > 0


def test_a_stage_does_not_fail_where_its_time_cannot_be_kept(tmp_path):
    (tmp_path / ".times").touch()
    assert execute(Stage("quick", lambda params, paths: None), None, []) == 0


def test_the_table_adds_up_stages_and_what_lies_between_them_in_one_run():
    ran = [Ran("sample", 7, 10, 12), Ran("manifest", 7, 13.5, 20), Ran("report", 8, 500, 501)]
    assert list(table(ran)) == [
        "stage     seconds  DVC before it",
        "sample        2.0",
        "manifest      6.5            1.5",
        "report        1.0",
        "together      9.5            1.5",
    ]


def test_where_nothing_has_run_it_says_so(capsys):
    assert main() == 1
    assert capsys.readouterr().err.count("\n") == 1
