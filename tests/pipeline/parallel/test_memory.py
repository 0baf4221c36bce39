"""Memory of this process and of its machine."""

import numpy as np
import pytest

from pipeline.parallel import memory

MEGABYTE = 10**6


def test_the_peak_is_that_of_the_work_alone():
    before = memory.peak_of(lambda: None)
    during = memory.peak_of(lambda: np.ones(300 * MEGABYTE, np.uint8))
    after = memory.peak_of(lambda: None)
    assert 280 * MEGABYTE < during - before < 330 * MEGABYTE
    assert abs(after - before) < 30 * MEGABYTE


def test_what_is_available_is_some_of_the_machine_s_memory():
    lines = dict(line.split(":") for line in memory.MEMINFO.read_text().splitlines())
    assert 0 < memory.available() <= 1024 * int(lines["MemTotal"].split()[0])


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """8,000 KiB are available, in a container that may have 4 MB and has 3, of which 1 are files."""
    (tmp_path / "meminfo").write_text("MemTotal: 16000 kB\nMemAvailable:    8000 kB\n")
    for name, text in (("memory.max", "4000000"), ("memory.current", "3000000")):
        (tmp_path / name).write_text(f"{text}\n")
    (tmp_path / "memory.stat").write_text("anon 2000000\ninactive_file 1000000\n")
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "GROUPS", ((tmp_path / "memory.max", tmp_path / "memory.current"),))
    return tmp_path


def test_a_container_s_limit_counts_where_it_is_lower(machine):
    assert memory.available() == 2_000_000
    (machine / "memory.max").write_text("max\n")
    assert memory.available() == 8000 * 1024
    (machine / "memory.max").unlink()
    assert memory.available() == 8000 * 1024


def test_nothing_is_known_where_the_system_does_not_say(machine):
    (machine / "meminfo").unlink()
    (machine / "memory.max").unlink()
    assert memory.available() is None
