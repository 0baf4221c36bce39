"""Make the report: pages from the figures, the numbers, and the captions.

The report opens by double-click. To give it to others, with its git revision: python -m pipeline.publish
"""

import logging
from collections.abc import Mapping
from pathlib import Path

from pipeline.contents.reading import read_sections
from pipeline.report.provenance import read_provenance
from pipeline.report.site import Texts, write_report
from stages.blocks.report import Params
from stages.command import Stage, execute

log = logging.getLogger(__name__)


def run(params: Params, paths: Mapping[str, Path]) -> None:
    """Write the folder report/."""
    sections = read_sections(paths["figures"])
    provenance = read_provenance(paths["artifacts"], paths["metrics"], paths["settings"])
    texts = Texts(title=params.title, skipped_shown=params.skipped_shown)
    write_report(paths["out"], sections, provenance, texts)
    log.info("open %s", paths["out"] / "index.html")


STAGE = Stage(
    name="report",
    run=run,
    params=Params,
    block="report",
    inputs={
        "figures": "artifacts/figures",
        "artifacts": "artifacts",
        "metrics": "metrics",
        "settings": "params.yaml",
    },
    outputs={"out": "report"},
)

if __name__ == "__main__":
    raise SystemExit(execute(STAGE, __doc__))
