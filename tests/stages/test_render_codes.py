"""The chapter of what a code keeps as a folder of contents."""

from pipeline.contents.reading import read_section
from pipeline.formats.correspondence import VERSION as CORRESPONDENCE_VERSION
from pipeline.formats.inversion import VERSION
from pipeline.formats.probes import VERSION as PROBES_VERSION
from pipeline.formats.probes import write_probes
from pipeline.formats.status import not_run, write_status
from stages import render_codes
from tests.small import correspondence as matches
from tests.small import inversion as small
from tests.small.probes import PICTURES, PROBES

PARAMS = render_codes.Params(probes=2)


def test_reconstructions_and_matches_are_sections(tmp_path):
    paths = {"probes": tmp_path / "probes.h5", "out": tmp_path / "codes"}
    write_probes(paths["probes"], PROBES, PICTURES, made_from={})
    paths["inversion"] = small.write(tmp_path / "inversion.h5", {"conv": small.layer()})
    paths["correspondence"] = matches.write(tmp_path / "correspondence.h5", {"conv": matches.layer(12)})
    render_codes.run(PARAMS, paths)
    section = read_section(paths["out"] / "inversion").content
    assert len(section.images) == 3 and section.numbers["shown"] == 2
    assert read_section(paths["out"] / "correspondence").content.numbers["best"] == "conv"


def test_without_probes_the_section_says_so(tmp_path):
    paths = {name: tmp_path / f"{name}.h5" for name in ("probes", "inversion", "correspondence")}
    write_status(paths["probes"], not_run("probes"), stage="probes", version=PROBES_VERSION)
    write_status(paths["inversion"], not_run("probes"), stage="inversion", version=VERSION)
    status = not_run("probes")
    write_status(paths["correspondence"], status, stage="correspondence", version=CORRESPONDENCE_VERSION)
    render_codes.run(PARAMS, paths | {"out": tmp_path / "codes"})
    for name in ("inversion", "correspondence"):
        assert read_section(tmp_path / "codes" / name).content.status == "not run"
