"""Where code names a dataset or an attribute of an HDF5 file, found on its syntax tree."""

import ast
import re
from collections.abc import Iterator

# Where a file of the store, or a shard, takes the name of a dataset.
BY_NAME = {
    "read", "strings", "take", "shape", "allocate", "put", "put_strings", "link", "attributes",
    "set_attributes",
}  # fmt: skip


def dataset_names(tree: ast.Module) -> Iterator[str]:
    """Yield what opens a file of one format, or names a dataset or an attribute in it."""
    opens = re.search(r"\b(store\.read|Reader|Writer)\b", ast.unparse(tree)) is not None
    files = {ast.unparse(item.optional_vars) for item in _opened(tree) if item.optional_vars is not None}
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and _is_text(node.slice):
            whose = ast.unparse(node.value)
            if whose in files or re.search(r"\bh5py\.|\.attributes\(", whose):
                yield ast.unparse(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            by_name = node.func.attr in BY_NAME or (opens and node.func.attr == "get")
            if _opens_a_format(node) or (by_name and node.args and _is_text(node.args[0])):
                yield ast.unparse(node)


def _opens_a_format(call: ast.Call) -> bool:
    """Tell whether a call reads or writes files of one version."""
    called = ast.unparse(call.func)
    any_version = "version=None" in {ast.unparse(word) for word in call.keywords}
    return called == "store.write" or (called == "store.read" and not any_version)


def _opened(tree: ast.Module) -> Iterator[ast.withitem]:
    """Yield where a block opens an HDF5 file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.withitem) and ast.unparse(node.context_expr).startswith("h5py."):
            yield node


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
