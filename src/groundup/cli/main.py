"""The front door of the terminal: the verbs, loaded when one is named, and the place where errors end.

Exit codes: 0 done; 1 our own mistake, or a model that could not be reproduced; 2 a mistake that the
user can put right; 130 interrupted.
"""

import contextlib
import errno
import io
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Final

import click

from groundup.cli.call import Call
from groundup.core.errors import GroundupError, did_you_mean

VERBS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "check": "Look at the data and say what was found; train nothing.",
        "init": "Write a commented recipe with everything that was inferred.",
        "train": "Train a model, from a data file or a recipe.",
        "show": "Show what came out of a run.",
        "runs": "List the runs, newest first.",
        "compare": "Compare runs: settings, scores, and whether they differ.",
        "evaluate": "Measure a trained model on rows whose answer is known.",
        "predict": "Predict for the rows of a file.",
        "generate": "Let a model that learned to write go on from a prompt.",
        "resume": "Go on with a run that was interrupted.",
        "reproduce": "Train a run's recipe again and say whether the model is equal.",
        "models": "List the learners and their hyperparameters.",
        "schema": "Print the JSON Schema of the recipe, for editors.",
    }
)
"""Verb → what it does. The verb `x` is the command `x` in `groundup/cli/x.py`, imported when it is named."""

_BROKEN_PIPE = 141  # what a shell reports for a program that SIGPIPE ended


class Verbs(click.Group):
    """A group of commands whose help needs none of them imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the verbs in the order of a user's way."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the verb's file and return its command; None for a verb that does not exist."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = getattr(import_module(f"groundup.cli.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the named command; a name that does not exist ends with the nearest one."""
        if not args[0].startswith("-") and args[0] not in VERBS:
            raise click.UsageError(f"There is no command `{args[0]}`.{did_you_mean(args[0], VERBS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the verbs' help from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        from groundup import __version__

        click.echo(f"groundup {__version__}")
        ctx.exit()


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Try: groundup train sample:titanic --target survived",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and leave.",
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Train a model of your own from the ground up."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `groundup` and return its exit code; no error passes this door.

    Parameters
    ----------
    arguments : sequence of str or None
        What follows `groundup` on the command line; None: `sys.argv`.

    Returns
    -------
    int
        The exit code (see the top of this file).

    Examples
    --------
    >>> main(["--version"])
    groundup 0.1.0
    0
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    call = Call()
    _never_fail_on_a_character()
    strange = next((word for word in words if not _is_text(word)), None)
    if strange is not None:
        shown = strange.encode("utf-8", "backslashreplace").decode()
        return _refuse(f"`{shown}` is not UTF-8. Rename the file, or set LC_ALL to a locale such as C.UTF-8.")
    try:
        with cli.make_context("groundup", words, obj=call) as context:
            cli.invoke(context)
        if sys.stdout is not None:  # `>&-`
            sys.stdout.flush()
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.UsageError as error:
        return _refuse(_usage_message(error))
    except click.ClickException as error:
        return _refuse(error.format_message())
    except GroundupError as error:
        return _refuse(f"{error}{_what_is_kept(call)}")
    except MemoryError:
        return _refuse("There is not enough memory for this. Take fewer rows or columns.")
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(call)
    except SystemExit:  # how Rich leaves when nobody reads its output any more
        return _broken_pipe()
    except OSError as error:
        if error.errno == errno.EPIPE:
            return _broken_pipe()
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            _forget_output()
            return _refuse(f"The disk is full; free some space and try again.{_what_is_kept(call)}")
        return _our_mistake(error, words, call)
    except Exception as error:
        return _our_mistake(error, words, call)
    return 0


def _never_fail_on_a_character() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _usage_message(error: click.UsageError) -> str:
    message = error.format_message()
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        known = [name for parameter in error.ctx.command.get_params(error.ctx) for name in parameter.opts]
        known = [name for name in known if name.startswith("-")]
        message = f"There is no option `{error.option_name}`.{did_you_mean(error.option_name, known)}"
    path = error.ctx.command_path if error.ctx else "groundup"
    return f"{message} See `{path} --help`."


def _refuse(message: str) -> int:
    _say("error:", message)
    return 2


def _what_is_kept(call: Call) -> str:
    """Return a sentence about the run that failed; "" where no fit had finished, so nothing is left."""
    folder = call.run_folder
    if folder is None or not (folder / "checkpoints").is_dir():
        return ""
    return f" What was finished is kept; afterwards `groundup resume {folder}` goes on from there."


def _interrupted(call: Call) -> int:
    folder = call.run_folder
    if folder is None:
        _say("interrupted:", "Nothing was written.")
    else:
        _say(
            "interrupted:",
            f"What was finished is kept in `{folder}`; `groundup resume {folder}` goes on from there.",
        )
    return 130


def _is_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def _broken_pipe() -> int:
    _forget_output()
    return _BROKEN_PIPE


def _forget_output() -> None:
    """Drop what cannot be written any more: Python would complain about it while it shuts down."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _our_mistake(error: Exception, words: Sequence[str], call: Call) -> int:
    path = _write_traceback(error, words, call)
    what = f"{type(error).__name__}: {error}".rstrip(".")
    where = f"Please report it with the details in `{path}`." if path else "The details could not be written."
    kept = f" What was finished is kept in `{call.run_folder}`." if call.run_folder else ""
    _say("error:", f"This is a mistake in groundup, not yours: {what}. {where}{kept}")
    return 1


def _write_traceback(error: Exception, words: Sequence[str], call: Call) -> Path | None:
    import platform
    import tempfile
    import traceback

    from groundup import __version__

    facts = f"groundup {__version__}, Python {platform.python_version()}, {platform.platform()}"
    text = f"{facts}\ngroundup {' '.join(words)}\n\n{''.join(traceback.format_exception(error))}"
    for folder in (call.run_folder, Path(tempfile.gettempdir())):
        if folder is not None:
            with contextlib.suppress(OSError):
                descriptor, name = tempfile.mkstemp(prefix="groundup-error-", suffix=".txt", dir=folder)
                with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                    file.write(text)
                return Path(name)
    return None


def _say(label: str, message: str) -> None:
    from groundup.cli.formats import one_line, visible

    text = f"{label} {visible(one_line(message))}"
    if sys.stderr.isatty():
        import textwrap

        width = min(shutil.get_terminal_size().columns, 100)
        text = textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)
        if "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb":
            text = click.style(label, fg="red", bold=True) + text.removeprefix(label)
    click.echo(text, err=True)
