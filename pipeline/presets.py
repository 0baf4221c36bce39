"""Presets: what differs from the default parameters, laid over params.yaml.

    python -m pipeline.presets NAME    write the values of presets/NAME.yaml into params.yaml

Comments, order and all other values of params.yaml stay. `presets/default.yaml` holds each key that any
preset changes, so that one preset leaves nothing behind in the next; choosing `default` goes back to the
start. An edit of params.yaml that neither git nor a preset holds is not written over; what a preset made of
it is, so that an edit of the preset takes effect.
"""

import argparse
import hashlib
import io
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.errors import UserError, nearest

FOLDER = Path("presets")
DEFAULT = "default"
# The digest of what a preset made of params.yaml last.
WRITTEN = Path(".cache") / "preset"


def choose(name: str, params: Path, folder: Path = FOLDER) -> None:
    """Lay a preset over the default values of a params file, in place.

    Parameters
    ----------
    name
        Of a file in the folder, without its suffix.
    params
        The params file.
    folder
        Holds the presets, one of them `default`.

    Raises
    ------
    UserError
        There is no such preset, it sets what the params file lacks, or the params file holds edits that
        would be lost from sight.
    """
    presets = read_presets(folder)
    if name not in presets:
        meant = nearest(name, presets)
        hint = f"did you mean '{meant}'?" if meant else f"there are: {', '.join(presets)}"
        raise UserError(f"{folder}: no preset '{name}'; {hint}")
    current, committed = _text(params), _committed(params)
    results = {other: _laid_over(committed or current, presets, other) for other in presets}
    written = params.parent / WRITTEN
    if current not in {committed, *results.values()} and _digest(current) != _last(written):
        raise UserError(
            f"{params} has edits that are not committed: commit them, or drop them with "
            f"'git checkout {params}', before choosing a preset"
        )
    params.write_text(results[name], encoding="utf-8")
    # So that it may be written over once the preset has been edited.
    written.parent.mkdir(exist_ok=True)
    written.write_text(_digest(results[name]) + "\n", encoding="ascii")


def read_presets(folder: Path) -> dict[str, Any]:
    """Return the presets of a folder by name, in order; `UserError` names a file that is no YAML."""
    return {path.stem: _load(_text(path), path) for path in sorted(folder.glob("*.yaml"))}


def merge(values: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Write the values of a preset into parameters, block by block.

    Raises
    ------
    UserError
        The parameters lack a key.
    """
    for key, value in changes.items():
        if key not in values:
            raise UserError(f"the parameters lack the key '{key}', which a preset sets; put it back")
        if isinstance(values[key], dict) and isinstance(value, dict):
            merge(values[key], value)
        else:
            values[key] = value


def _digest(text: str) -> str:
    """Return the sha256 (hex) of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _last(written: Path) -> str | None:
    return written.read_text(encoding="ascii").strip() if written.is_file() else None


def _laid_over(params: str, presets: Mapping[str, Any], name: str) -> str:
    values = _load(params, Path("params.yaml"))
    merge(values, presets[DEFAULT])
    merge(values, presets[name])
    stream = io.StringIO()
    _yaml().dump(values, stream)
    return stream.getvalue()


def _committed(params: Path) -> str | None:
    """Return the params file of git's last commit; None where git knows none."""
    command = ["git", "show", f"HEAD:./{params.name}"]
    try:
        return subprocess.run(
            command, cwd=params.parent, capture_output=True, check=True, encoding="utf-8"
        ).stdout
    except (OSError, subprocess.CalledProcessError, UnicodeDecodeError):
        return None


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.representer.add_representer(
        type(None), lambda writer, _: writer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    return yaml


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}; it is to be a text file in YAML") from None


def _load(text: str, source: Path) -> Any:
    try:
        return _yaml().load(text)
    except YAMLError as error:
        raise UserError(f"{source}: not valid YAML: {' '.join(str(error).split())}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see the module's docstring."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.presets", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("name", help="a preset, such as default")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="the file to write")
    parser.add_argument("--presets", type=Path, default=FOLDER, help="the folder of presets")
    options = parser.parse_args(arguments)
    try:
        choose(options.name, options.params, options.presets)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
