"""From which artifacts a section was drawn, and with which parameters these were made."""

from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from pipeline.report.captions import Caption
from pipeline.report.provenance import Artifact, Provenance


@dataclass(frozen=True)
class Source:
    """An artifact, and the parameters of its stage as YAML; empty where it has none."""

    artifact: Artifact
    params: str


def sources_of(section: str, caption: Caption, provenance: Provenance) -> Sequence[Source]:
    """Return what a section was drawn from, as its caption says: else from the artifact of its own name.

    Parameters
    ----------
    section
        Its name.
    caption
        Its head may have a line ``source``: file names in the folder of artifacts, commas between them.
    provenance
        Of the report.
    """
    names = [name.strip() for name in caption.words.head.get("source", f"{section}.h5").split(",")]
    known = {artifact.name: artifact for artifact in provenance.artifacts}
    return [Source(known[name], _params(known[name].stage, provenance)) for name in names if name in known]


def _params(stage: str, provenance: Provenance) -> str:
    name = stage.replace("-", "_")
    if name not in provenance.blocks:
        return ""
    block = {name: provenance.blocks[name]}
    return yaml.safe_dump(block, sort_keys=False, allow_unicode=True).strip()
