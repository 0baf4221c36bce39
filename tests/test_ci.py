"""The workflows that users copy are valid, and call what there is."""

import re

import pytest

from tests.dependencies import ROOT

FOLDER = ROOT / "docs/ci"
WORKFLOWS = ("github.yml", "gitlab.yml")
SCHEMAS = {
    "github.yml": ["--builtin-schema", "vendor.github-workflows"],
    "gitlab.yml": ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflow_is_valid_by_the_schema_of_its_service(name, tmp_path):
    check = pytest.importorskip(
        "check_jsonschema", reason="pip install '.[test]' brings the services' schemas"
    )

    def exit_code(path):
        with pytest.raises(SystemExit) as end:
            check.main([*SCHEMAS[name], str(path)])
        return end.value.code

    assert exit_code(FOLDER / name) == 0
    broken = tmp_path / name
    broken.write_text((FOLDER / name).read_text().replace("runs-on:", "runs:").replace("script:", "scrip:"))
    assert exit_code(broken) == 1


@pytest.mark.parametrize("name", [*WORKFLOWS, "README.md"])
def test_workflow_calls_targets_that_there_are(name):
    makefile = (ROOT / "Makefile").read_text()
    called = re.findall(r"\bmake ([a-z.-]+)", (FOLDER / name).read_text())
    assert "report" in called
    for target in called:
        assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), target
