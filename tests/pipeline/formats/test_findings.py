import numpy as np

from pipeline.formats.findings import Findings, read_findings, write_findings

FINDINGS = Findings(
    path=["a.png", "é.png"],
    stamp=np.array([[10, 1_700_000_000_000_000_000, -1], [20, 2, 3]]),
    size=np.array([[8, 6, 1], [10, 12, 6]]),
    sha256=np.arange(64, dtype=np.uint8).reshape(2, 32),
    note=["odd", ""],
    reason=["", "damaged"],
    message=["", "broken"],
)


def test_what_is_written_is_read_back(tmp_path):
    write_findings(tmp_path / "images.h5", FINDINGS, judge="ab")
    found = read_findings(tmp_path / "images.h5", judge="ab")
    for name, values in vars(FINDINGS).items():
        np.testing.assert_array_equal(getattr(found, name), values)


def test_findings_of_another_code_are_none(tmp_path):
    write_findings(tmp_path / "images.h5", FINDINGS, judge="ab")
    assert read_findings(tmp_path / "images.h5", judge="cd") is None
