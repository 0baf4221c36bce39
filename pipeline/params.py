"""Reading params.yaml and checking one block of it against the model that its stage defines."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from pipeline.errors import UserError, nearest

# How pydantic's messages of types begin.
SHOULD = "input should be "
PLAIN = re.compile(r"true|false|[-+]?[0-9]+(\.[0-9]*)?")


class _Loader(yaml.SafeLoader):
    """YAML as DVC reads it: no key twice, and a number may be written 1e-3."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Compare the keys as they are written; later those of a merged block stand beside them."""
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            name, mark = str(key.value), key.start_mark
            if name in lines:
                problem = f"the key '{name}' stands in line {lines[name]} already; take one of them out"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
            lines[name] = mark.line + 1
        return node


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


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
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run from the project's folder or give --params") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}; give a YAML file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" line {where.line + 1}," if where is not None else ""
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise UserError(f"{path}:{line} not valid YAML: {problem}") from None
    if content is None:
        raise UserError(
            f"{path}: holds no parameters; 'git checkout {path}' brings back those of the last commit"
        )
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
        problems: dict[tuple[str | int, ...], list[ErrorDetails]] = {}
        for item in _telling(error.errors()):
            problems.setdefault(_place(item), []).append(item)
        lines = (_describe(items, name, model) for items in problems.values())
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


def _place(item: ErrorDetails) -> tuple[str | int, ...]:
    """Cut pydantic's names of union members, of their models and of validators off an error's location."""
    location = item["loc"]
    # A user's unknown key may look like a model's name, which stands last where no block was given.
    named = len(location) if item["type"] not in ("model_type", "dataclass_type") else -1
    return tuple(
        part
        for depth, part in enumerate(location, 1)
        if isinstance(part, int)
        or (part.replace("_", "").isalnum() and (depth == named or not part[0].isupper()))
    )


def _telling(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out what is said of a list or a block as a whole where more is known of what is wrong in it."""

    def says_less(item: ErrorDetails) -> bool:
        place, is_literal = _place(item), item["type"] == "literal_error"
        others = [_place(other) for other in errors if other is not item]
        within = any(other[: len(place)] == place and (is_literal or other != place) for other in others)
        return isinstance(item["input"], (tuple, dict)) and within

    return [item for item in errors if not says_less(item)]


def _describe(items: Sequence[ErrorDetails], name: str, model: type[BaseModel]) -> str:
    """Say what is wrong in one place; a field of several types fails once for each of them."""
    item, location = items[0], _place(items[0])
    key = ".".join([name, *(str(part) for part in location)])
    if item["type"] == "extra_forbidden":
        return f"unknown key '{key}'{_hint(str(location[-1]), _fields(model, location[:-1]))}"
    if item["type"] == "missing":
        return f"'{key}' is missing"
    wanted = list(dict.fromkeys(_message(each) for each in items))
    shared = [text for text in wanted if text.startswith(SHOULD)]
    if shared:
        text = SHOULD + " or ".join(text.removeprefix(SHOULD) for text in shared)
    else:
        text = wanted[0]
    if item["type"] == "value_error" and isinstance(item["input"], dict):
        # Of keys together, which the message names; the whole block would bury it.
        return f"'{key}': {text}"
    return f"'{key}': {text}, got {_lists(item['input'])!r}{_unquoted(shared, item['input'])}"


def _message(item: ErrorDetails) -> str:
    """Return what pydantic says, in words of YAML."""
    if item["type"] in ("model_type", "dataclass_type"):
        return f"{SHOULD}a block of keys"
    text = item["msg"].removeprefix("Value error, ").replace("Tuple ", "list ", 1)
    text = f"{text[:1].lower()}{text[1:]}".replace(" after validation, not 0", "")
    return text.replace("valid tuple", "list")


def _unquoted(wanted: Sequence[str], given: object) -> str:
    """Return how to write text that would be what is wanted without its quotes."""
    if not isinstance(given, str) or not PLAIN.fullmatch(given):
        return ""
    kinds = ("boolean",) if given in ("true", "false") else ("number", "integer")
    return f"; write {given} without quotes" if any(text.endswith(kinds) for text in wanted) else ""


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
