"""The run folder: names, states, and one process at a time."""

import subprocess
import sys
from pathlib import Path

import pytest

from groundup.core.errors import RunError, StorageError
from groundup.core.runs import RunFolder, find_run, list_runs


def test_a_run_without_a_name_is_called_after_its_source(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "runs", None, stem="houses 2024.csv")
    assert run.path.name.startswith("houses-2024-csv-")
    assert run.read_summary().is_interrupted  # nobody holds it


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    RunFolder.create(tmp_path, "first", stem="x").asked.write_text("")
    with pytest.raises(RunError, match="groundup resume"):
        RunFolder.create(tmp_path, "first", stem="x")
    (tmp_path / "a file").write_text("")
    with pytest.raises(RunError, match="already"):
        RunFolder.create(tmp_path, "a file", stem="x")


def test_a_run_that_was_killed_before_it_began_is_started_anew(tmp_path: Path) -> None:
    (tmp_path / "killed").mkdir()
    (tmp_path / "killed" / ".run.json.0123abcd.tmp").write_text("{")
    for _ in range(2):
        run = RunFolder.create(tmp_path, "killed", stem="x")
        with run.hold():
            assert {path.name for path in run.path.iterdir()} == {"run.json", ".lock"}
            with pytest.raises(RunError, match="already"):
                RunFolder.create(tmp_path, "killed", stem="x")


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine" / "data").mkdir(parents=True)
    with pytest.raises(RunError, match="already"):
        RunFolder.create(tmp_path, "mine", stem="x")


def test_the_holder_reads_its_summary_without_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundup.core.runs.time.sleep", pytest.fail)
    run = RunFolder.create(tmp_path, "a", stem="x")
    with run.hold():
        run.update_summary(source="x.csv")
        assert not run.read_summary().is_interrupted
        assert not list_runs(tmp_path)[0].is_interrupted
    assert run.read_summary().is_interrupted


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "x" * 200])
def test_a_name_that_is_no_folder_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError, match="cannot be a run's name"):
        RunFolder.create(tmp_path, name, stem="x")


def test_a_folder_of_runs_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="--runs"):
        RunFolder.create(tmp_path / "file", None, stem="x")


def test_only_one_process_holds_a_run(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, "a", stem="x")
    program = (
        "import sys\nfrom pathlib import Path\nfrom groundup.core.runs import RunFolder\n"
        "with RunFolder(Path(sys.argv[1])).hold():\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(run.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"held\n"
    with pytest.raises(RunError, match="in use"), run.hold():
        pass
    assert not run.read_summary().is_interrupted
    other.kill()
    other.communicate()
    with run.hold():
        assert not run.read_summary().is_interrupted
    assert run.read_summary().is_interrupted


def test_runs_are_found_by_path_name_and_last(tmp_path: Path) -> None:
    for name in ("alpha", "beta"):
        RunFolder.create(tmp_path, name, stem="x")
    assert [summary.name for summary in list_runs(tmp_path)] == ["alpha", "beta"]
    assert find_run(tmp_path / "alpha", tmp_path).path.name == "alpha"
    assert find_run("beta", tmp_path).path.name == "beta"
    assert find_run("last", tmp_path).path.name == "beta"
    with pytest.raises(RunError, match="Did you mean `alpha`"):
        find_run("alpa", tmp_path)
    assert list_runs(tmp_path / "nowhere") == []


def test_a_summary_that_is_no_json_is_a_run_error(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, "a", stem="x")
    (run.path / "run.json").write_text("{")
    with pytest.raises(RunError, match=r"run\.json"):
        run.read_summary()
    assert list_runs(tmp_path) == []
