import os
from pathlib import Path

import pytest

from groundup.training import threads
from groundup.training.threads import resolve_threads

LARGE = 100_000_000


def pretend(
    monkeypatch: pytest.MonkeyPatch, *, cores: int, load: float, quota: Path = Path("/no/such/file")
) -> None:
    monkeypatch.setattr(threads, "_CGROUP_QUOTA", quota)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(cores)), raising=False)
    monkeypatch.setattr(os, "getloadavg", lambda: (load, load, load), raising=False)


def test_a_number_is_taken_as_it_is() -> None:
    assert resolve_threads(3, n_cells=1)[0] == 3


def test_small_tables_get_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cores=64, load=0.0)
    n_threads, reason = resolve_threads("auto", n_cells=10_000)
    assert n_threads == 1
    assert "10 000 cells" in reason


@pytest.mark.parametrize(
    ("cores", "load", "expected"),
    [(8, 0.0, 8), (8, 1.0, 7), (8, 3.2, 5), (8, 20.0, 1), (1, 0.0, 1), (2, 0.7, 1), (2, 0.2, 2)],
)
def test_large_tables_get_the_idle_cores(
    monkeypatch: pytest.MonkeyPatch, cores: int, load: float, expected: int
) -> None:
    pretend(monkeypatch, cores=cores, load=load)
    n_threads, reason = resolve_threads("auto", n_cells=LARGE)
    assert n_threads == expected
    assert reason.endswith(".")


@pytest.mark.parametrize(
    ("content", "expected"), [("200000 100000\n", 2), ("50000 100000\n", 1), ("max 100000\n", 8)]
)
def test_a_container_s_quota_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str, expected: int
) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text(content)
    pretend(monkeypatch, cores=8, load=0.0, quota=quota)
    assert resolve_threads("auto", n_cells=LARGE)[0] == expected


def test_systems_without_affinity_or_load_use_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.delattr(os, "getloadavg", raising=False)
    monkeypatch.setattr(threads, "_CGROUP_QUOTA", Path("/no/such/file"))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert resolve_threads("auto", n_cells=LARGE)[0] == 4
