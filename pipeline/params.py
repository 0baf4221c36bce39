"""Reading params.yaml and checking one block of it against the model that its stage defines."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from pipeline.errors import UserError, nearest


class Block(BaseModel):
    """One block of params.yaml: frozen, strictly typed, unknown keys refused, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


AnyBlock = TypeVar("AnyBlock", bound=Block)


class OptionalBlock(Block):
    """The block of an analysis that the report can do without; its stage writes a status in either case."""

    run: bool = Field(description="false: the analysis is left out, and the report says so")


def read_params(path: Path) -> dict[str, Any]:
    """Read a whole params file.

    Parameters
    ----------
    path
        A YAML file whose top level maps block names to blocks.

    Returns
    -------
    dict
        Block name to its plain value.

    Raises
    ------
    UserError
        If the file cannot be read, is not YAML, or does not map names to blocks.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run from the project's folder or give --params") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}; give a YAML file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" line {where.line + 1}," if where is not None else ""
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise UserError(f"{path}:{line} not valid YAML: {problem}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected blocks of parameters, found {type(content).__name__}")
    for name in content:
        if not isinstance(name, str):
            raise UserError(f"{path}: the block name {name!r} is no text; quote it, or take it out")
    return content


def load_block(path: Path, name: str, model: type[AnyBlock]) -> AnyBlock:
    """Read one block of a params file and check it.

    Parameters
    ----------
    path
        The params file.
    name
        The block's key at the top level.
    model
        The frozen model that the stage defines.

    Raises
    ------
    UserError
        Naming each key that is wrong, its value, what is allowed, and the nearest valid name.
    """
    params = read_params(path)
    if name not in params:
        raise UserError(f"{path}: block '{name}' is missing{_hint(name, params)}")
    return check_block(params[name], name, model, source=str(path))


def check_block(value: object, name: str, model: type[AnyBlock], *, source: str) -> AnyBlock:
    """Check a block that was already read; `source` names the file in errors.

    Raises
    ------
    UserError
        As `load_block`.
    """
    try:
        return model.model_validate(_tuples(value))
    except ValidationError as error:
        # A field of several types fails once for each of them; the first message says enough.
        problems = {_place(item["loc"]): item for item in reversed(_telling(error.errors()))}
        lines = (_describe(item, name, model) for item in reversed(problems.values()))
        raise UserError(f"{source}: {'; '.join(lines)}") from None


def unknown_block(name: str, valid: Sequence[str]) -> str:
    """Return what to say of a block that no stage has, with the nearest valid name."""
    return f"unknown block '{name}'{_hint(name, valid)}"


def digest(block: BaseModel | Mapping[str, Any]) -> str:
    """Return the sha256 (hex) of a block's values, independent of the order of its keys."""
    plain = block.model_dump(mode="json") if isinstance(block, BaseModel) else dict(block)
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _tuples(value: object) -> object:
    """Turn YAML's lists into the tuples that frozen models hold."""
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value


def _place(location: Sequence[str | int]) -> tuple[str | int, ...]:
    """Cut pydantic's names of union members, of their models and of validators off an error's location."""
    return tuple(
        part
        for depth, part in enumerate(location, 1)
        if isinstance(part, int)
        or (part.replace("_", "").isalnum() and (depth == len(location) or not part[0].isupper()))
    )


def _telling(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out what is said of a list or a block as a whole where more is known of what is wrong in it."""

    def says_less(item: ErrorDetails) -> bool:
        place, is_literal = _place(item["loc"]), item["type"] == "literal_error"
        others = [_place(other["loc"]) for other in errors if other is not item]
        within = any(other[: len(place)] == place and (is_literal or other != place) for other in others)
        return isinstance(item["input"], (tuple, dict)) and within

    return [item for item in errors if not says_less(item)]


def _describe(item: ErrorDetails, name: str, model: type[BaseModel]) -> str:
    location = _place(item["loc"])
    key = ".".join([name, *(str(part) for part in location)])
    if item["type"] == "extra_forbidden":
        return f"unknown key '{key}'{_hint(str(location[-1]), _fields(model, location[:-1]))}"
    if item["type"] == "missing":
        return f"'{key}' is missing"
    if item["type"] == "model_type":
        return f"'{key}': input should be a block of keys, got {_lists(item['input'])!r}"
    message = item["msg"].removeprefix("Value error, ").replace("Tuple ", "list ", 1)
    message = f"{message[:1].lower()}{message[1:]}".replace(" after validation, not 0", "").replace(
        "valid tuple", "list"
    )
    return f"'{key}': {message}, got {_lists(item['input'])!r}"


def _lists(value: object) -> object:
    """Undo `_tuples`, to show what was written."""
    if isinstance(value, tuple):
        return [_lists(item) for item in value]
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    return value


def _fields(model: type[BaseModel], location: Sequence[str | int]) -> Sequence[str]:
    """Return the names of the fields that are allowed at a location in a model."""
    for part in location:
        annotation = model.model_fields[str(part)].annotation if str(part) in model.model_fields else None
        members = [annotation, *getattr(annotation, "__args__", ())]
        nested = [item for item in members if isinstance(item, type) and issubclass(item, BaseModel)]
        if not nested:
            return ()
        model = nested[0]
    return list(model.model_fields)


def _hint(name: str, valid: Sequence[str] | Mapping[str, Any]) -> str:
    meant = nearest(name, valid)
    if meant:
        return f"; did you mean '{meant}'?"
    return f"; valid: {', '.join(sorted(valid))}" if valid else ""
