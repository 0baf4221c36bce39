import json
import shutil

import pytest

from pipeline.errors import UserError
from pipeline.report.section import read_section, read_sections
from tests.pipeline.report import fakes


def _edited(folder, change):
    content = json.loads((folder / "section.json").read_text())
    change(content)
    (folder / "section.json").write_text(json.dumps(content))
    return folder


def test_sections_are_read_by_name(tmp_path):
    fakes.summary_section(tmp_path)
    fakes.patches_section(tmp_path)
    (tmp_path / "unfinished").mkdir()
    shutil.copytree(tmp_path / "summary", tmp_path / ".summary.tmp")
    assert [item.content.section for item in read_sections(tmp_path)] == ["patches", "summary"]


def test_no_section_is_an_error(tmp_path):
    with pytest.raises(UserError, match="run the render stages"):
        read_sections(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.update(novel=1), "novel"),
        (lambda content: content["figures"][0].update(alt=""), "figures.0.alt"),
        (lambda content: content["figures"][0].update(image="../../secret.png"), "inside the section"),
        (lambda content: content["figures"][0].update(image="/etc/passwd"), "inside the section"),
        (lambda content: content["figures"][0].update(image="gone.png"), "gone.png"),
        (lambda content: content["figures"][0].update(id='x"><script>'), "figures.0.id"),
        (lambda content: content["figures"].append(content["figures"][0]), "given twice"),
        (lambda content: content["layers"][0].update(slug="../up"), "layers.0.slug"),
        (lambda content: content["layers"][1].update(slug="features-1"), "slug 'features-1' is given twice"),
        (lambda content: content["layers"][0]["units"][0]["paths"].pop(), "one entry a rank"),
        (lambda content: content.update(section="other"), "names itself 'other'"),
    ],
)
def test_a_fault_is_named(tmp_path, change, message):
    folder = _edited(fakes.patches_section(tmp_path), change)
    with pytest.raises(UserError, match=message) as caught:
        read_section(folder)
    assert "section.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_broken_json_is_named(tmp_path):
    folder = fakes.summary_section(tmp_path)
    (folder / "section.json").write_text('{"section": ')
    with pytest.raises(UserError, match=r"section\.json"):
        read_section(folder)
