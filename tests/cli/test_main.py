"""The front door: help that is light, verbs that load when named, errors that end as one paragraph."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from groundup.cli.main import VERBS, cli, main
from groundup.core.errors import DataError
from groundup.core.events import Event

Main = Callable[..., tuple[int, str, str]]


def run_process(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "groundup", *words],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
    )


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_help_names_every_verb(groundup_main: Main, words: tuple[str, ...]) -> None:
    code, out, err = groundup_main(*words)
    assert code == 0
    assert err == ""
    assert all(f"  {verb} " in out for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_loads_and_says_what_the_table_says(verb: str) -> None:
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None
    assert command.name == verb
    assert (command.help or "").startswith(VERBS[verb])


def test_version(groundup_main: Main) -> None:
    assert groundup_main("--version") == (0, "groundup 0.1.0\n", "")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("trian",), "Did you mean `train`?"),
        (("train", "a.csv", "--tagret", "x"), "Did you mean `--target`?"),
        (("--verison",), "Did you mean `--version`?"),
        (("train",), "SOURCE_OR_RECIPE"),
        (("train", "a.csv", "--progress", "loud"), "'auto', 'plain', 'json', 'quiet'"),
        (("train", "a.csv", "--set", "training.seed"), "`training.seed` is not OPTION=VALUE"),
    ],
)
def test_a_word_that_does_not_fit_is_explained(
    groundup_main: Main, words: tuple[str, ...], hint: str
) -> None:
    code, out, err = groundup_main(*words)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert hint in err
    assert "--help`." in err
    assert err.count("\n") == 1


def fail_with(error: BaseException) -> Callable[[Event], None]:
    def fail(event: Event) -> None:
        if event.kind == "step_started":
            raise error

    return fail


def test_an_error_of_the_user_is_one_paragraph(groundup_main: Main, lifecycle: object) -> None:
    lifecycle.before_event = fail_with(DataError("`a.csv` is empty. Give a file with rows."))  # type: ignore[attr-defined]
    code, _, err = groundup_main("train", "a.csv", "--progress", "quiet")
    assert code == 2
    assert err == "error: `a.csv` is empty. Give a file with rows.\n"


def test_data_cannot_steer_the_terminal(groundup_main: Main, lifecycle: object) -> None:
    lifecycle.before_event = fail_with(DataError("no column `a\x1b[2J`"))  # type: ignore[attr-defined]
    _, _, err = groundup_main("train", "a.csv", "--progress", "quiet")
    assert err == "error: no column `a\\x1b[2J`\n"


def test_our_own_mistake_is_written_into_the_run_folder(groundup_main: Main, lifecycle: object) -> None:
    folder = lifecycle.run.folder  # type: ignore[attr-defined]
    folder.mkdir(parents=True)
    lifecycle.before_event = fail_with(KeyError("fold"))  # type: ignore[attr-defined]
    code, _, err = groundup_main("train", "a.csv", "--progress", "quiet")
    (traceback,) = folder.glob("groundup-error-*.txt")
    assert code == 1
    assert "mistake in groundup" in err
    assert str(traceback) in err
    assert "Traceback" not in err
    assert "KeyError: 'fold'" in traceback.read_text()
    assert "groundup train a.csv" in traceback.read_text()


def test_our_own_mistake_without_a_run_goes_to_the_temporary_folder(
    groundup_main: Main, lifecycle: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    lifecycle.before_event = fail_with(KeyError("fold"))  # type: ignore[attr-defined]
    code, _, err = groundup_main("train", "a.csv", "--progress", "quiet")
    (traceback,) = tmp_path.glob("groundup-error-*.txt")
    assert code == 1
    assert str(traceback) in err


def test_no_memory_is_not_called_a_mistake_of_ours(groundup_main: Main, lifecycle: object) -> None:
    lifecycle.before_event = fail_with(MemoryError())  # type: ignore[attr-defined]
    code, _, err = groundup_main("train", "a.csv", "--progress", "quiet")
    assert code == 2
    assert "not enough memory" in err


def test_an_interruption_says_what_is_kept(groundup_main: Main, lifecycle: object) -> None:
    lifecycle.before_event = fail_with(KeyboardInterrupt())  # type: ignore[attr-defined]
    code, _, err = groundup_main("train", "a.csv", "--progress", "quiet")
    assert code == 130
    assert f"groundup resume {lifecycle.run.folder}" in err  # type: ignore[attr-defined]


def test_an_interruption_before_the_run_says_so(groundup_main: Main, lifecycle: object) -> None:
    def interrupt(_event: Event) -> None:
        raise KeyboardInterrupt

    lifecycle.before_event = interrupt  # type: ignore[attr-defined]
    code, _, err = groundup_main("train", "a.csv", "--progress", "quiet")
    assert code == 130
    assert "Nothing was written" in err


def test_a_reader_that_leaves_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "groundup", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 141
    assert err == b""


def test_a_terminal_without_unicode_gets_replacements() -> None:
    done = run_process("models", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "lightgbm" in done.stdout
    assert done.stderr == ""


def test_exit_codes_of_the_real_program() -> None:
    done = run_process("show", "nowhere", "--runs", "no-such-folder")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: There is no run `nowhere`")


def test_main_takes_the_words_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["groundup", "--version"])
    assert main() == 0
