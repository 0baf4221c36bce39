"""The chapter of what a code keeps as a folder of contents."""

from pipeline.contents.reading import read_section
from pipeline.formats.inversion import VERSION
from pipeline.formats.probes import VERSION as PROBES_VERSION
from pipeline.formats.probes import write_probes
from pipeline.formats.status import not_run, write_status
from stages import render_codes
from tests.small import inversion as small
from tests.small.probes import PICTURES, PROBES

PARAMS = render_codes.Params(probes=2)


def test_reconstructions_are_a_section(tmp_path):
    paths = {"probes": tmp_path / "probes.h5", "out": tmp_path / "codes"}
    write_probes(paths["probes"], PROBES, PICTURES, made_from={})
    paths["inversion"] = small.write(tmp_path / "inversion.h5", {"conv": small.layer()})
    render_codes.run(PARAMS, paths)
    section = read_section(paths["out"] / "inversion").content
    assert len(section.images) == 3 and section.numbers["shown"] == 2


def test_without_probes_the_section_says_so(tmp_path):
    paths = {name: tmp_path / f"{name}.h5" for name in ("probes", "inversion")}
    write_status(paths["probes"], not_run("probes"), stage="probes", version=PROBES_VERSION)
    write_status(paths["inversion"], not_run("probes"), stage="inversion", version=VERSION)
    render_codes.run(PARAMS, paths | {"out": tmp_path / "codes"})
    assert read_section(tmp_path / "codes/inversion").content.status == "not run"
