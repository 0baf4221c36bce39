"""What of a module's source counts."""

import pytest

from pipeline.parallel import source
from pipeline.parallel.source import core_digest, loaded_modules, module_digest

ORIGINAL = '''"""A module."""

import numpy as np


class Scale:
    """A factor."""

    factor = 2

    def apply(self, values):
        """Scale values."""
        # In one step.
        return np.asarray(values) * self.factor


async def wait():
    """Only a docstring."""
'''
SAME = {
    "comment": ORIGINAL + "# A remark.\n",
    "docstrings": ORIGINAL.replace("A module.", "Something else.").replace("Scale values.", "Multiply."),
    "without docstrings": ORIGINAL.replace('"""A module."""\n', "").replace('    """A factor."""\n', ""),
    "formatting": ORIGINAL.replace("(values) * self.factor", "(values)*(self.factor)"),
}
OTHER = {
    "number": ORIGINAL.replace("factor = 2", "factor = 3"),
    "type of a number": ORIGINAL.replace("factor = 2", "factor = 2.0"),
    "name": ORIGINAL.replace("def apply", "def applied"),
    "statement": ORIGINAL + "np.seterr(all='raise')\n",
    "None for True": ORIGINAL.replace("factor = 2", "factor = None"),
    "a string that is no docstring": ORIGINAL.replace("factor = 2", "factor = 'A factor.'"),
}


@pytest.fixture
def digest_of(tmp_path, monkeypatch):
    """A function that returns the digest of a module with some text."""
    monkeypatch.setattr(source, "PACKAGE", tmp_path)
    (tmp_path / "room").mkdir()

    def digest(text):
        name = f"module_{len(list((tmp_path / 'room').iterdir()))}"
        (tmp_path / "room" / f"{name}.py").write_text(text)
        return module_digest(f"room.{name}")

    return digest


@pytest.mark.parametrize("name", SAME)
def test_what_only_people_read_does_not_count(digest_of, name):
    assert SAME[name] != ORIGINAL
    assert digest_of(SAME[name]) == digest_of(ORIGINAL)


@pytest.mark.parametrize("name", OTHER)
def test_code_counts(digest_of, name):
    assert OTHER[name] != ORIGINAL
    assert digest_of(OTHER[name]) != digest_of(ORIGINAL)


def test_a_core_is_its_modules_in_order():
    cores = ["errors"], ["params"], ["errors", "params"], ["params", "errors"]
    assert len({core_digest(names) for names in cores}) == 4


def test_loaded_modules_are_files_of_this_package():
    found = loaded_modules()
    assert {"parallel.source", "errors"} <= set(found) and "parallel" not in found
    assert all(module_digest(name) for name in found)
