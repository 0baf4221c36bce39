"""What of this package's source decides a result: its syntax, without what only people read."""

import ast
import hashlib
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def core_digest(modules: Sequence[str]) -> str:
    """Return a hash of some modules that stays the same when comments, docstrings or formatting change.

    Parameters
    ----------
    modules
        Names below this package, such as ``images.decoding``: the core of a pass, those whose code decides
        the bytes of its result. Where they lie and what they are called does not count.
    """
    return hashlib.sha256(repr([module_digest(name) for name in modules]).encode()).hexdigest()


def module_digest(name: str) -> str:
    """Return the hash of one module's syntax, named as for `core_digest`."""
    return _digest(module_file(name))


def loaded_modules() -> list[str]:
    """Return the names of this package's modules that this process has loaded, sorted.

    A job that it hands to a worker runs no others.
    """
    names = (name.partition(".")[2] for name in sys.modules if name.startswith(f"{PACKAGE.name}."))
    return sorted(name for name in names if module_file(name).is_file())


def module_file(name: str) -> Path:
    """Return the file of a module, named as for `core_digest`."""
    return PACKAGE / f"{name.replace('.', '/')}.py"


@lru_cache
def _digest(path: Path) -> str:
    form = _form(ast.parse(path.read_bytes()))
    return hashlib.sha256(repr(form).encode()).hexdigest()


def _form(node: object) -> object:
    """Return a syntax tree as nested tuples, without empty fields: each version of Python brings new ones."""
    if isinstance(node, list):
        return tuple(_form(item) for item in node)
    if not isinstance(node, ast.AST):
        return node
    if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
        node.body = node.body[1:]
    fields = [(name, value) for name, value in ast.iter_fields(node) if value is not None and value != []]
    return type(node).__name__, *((name, _form(value)) for name, value in fields)
