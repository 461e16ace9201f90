"""The live display: a line that moves while a step works, and what it did once it is done."""

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from groundup.cli.console import open_console, print_paragraph, styled
from groundup.cli.findings import SEVERITIES, finding_title
from groundup.cli.formats import duration, number, one_line
from groundup.cli.progress import STOPPING, Progress, opening, which_fit, written_line

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text


class Pace:
    """How far the fits are, and how long the rest will take.

    Examples
    --------
    >>> pace = Pace(n_fits=4)
    >>> pace.finish("linear", 2.0)
    >>> pace.finish("linear", 4.0)
    >>> pace.share, pace.seconds_left("linear")
    (0.5, 6.0)
    """

    def __init__(self, n_fits: int) -> None:
        self.n_fits = n_fits
        self._n_done = 0
        self._share_of_fit = 0.0
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def advance(self, share: float) -> None:
        """Note that the present fit is done by `share`, in [0, 1]."""
        self._share_of_fit = share

    def finish(self, learner: str, seconds: float) -> None:
        """Note that a fit of `learner` has ended after `seconds`."""
        self._n_done += 1
        self._share_of_fit = 0.0
        self._seconds[learner].append(seconds)

    @property
    def share(self) -> float:
        """The share of the fits that is done, in [0, 1]."""
        return min((self._n_done + self._share_of_fit) / max(self.n_fits, 1), 1.0)

    def seconds_left(self, learner: str) -> float | None:
        """Return how long the rest takes if it goes as the fits of `learner` did; None before its first."""
        seconds = self._seconds.get(learner)
        if not seconds:
            return None
        n_left = max(self.n_fits - self._n_done - self._share_of_fit, 0.0)
        return n_left * sum(seconds) / len(seconds)


class LiveProgress(Progress):
    """Prints each step's outcome, and below it one line that moves while work goes on."""

    def __init__(self) -> None:
        from rich.live import Live
        from rich.spinner import Spinner

        self.console = open_console()
        self._doing, self._fit, self._learner = "starting", "", ""
        self._present_fit = ""
        self._pace: Pace | None = None
        self._is_stopping = False
        self._found: list[Text] = []
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(
            get_renderable=self._moving, console=self.console, refresh_per_second=8, transient=True
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._live.stop()

    def announce_stop(self) -> None:
        """Let the moving line say so: the display draws from a thread of its own."""
        self._is_stopping = True

    def _moving(self) -> "RenderableType":
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        # Three columns stay free for the `^C` that a terminal echoes: if it wrapped, a stale line would stay.
        line = Table.grid(padding=(0, 1), expand=True)
        line.width = self.console.width - 3
        line.add_column(width=1)
        line.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        cells: list[RenderableType] = [self._spinner, styled(f"{self._doing}{self._fit}")]
        if self._pace is not None and self._fit:
            line.add_column(width=6)
            line.add_column(no_wrap=True, justify="right")
            cells += [ProgressBar(total=1.0, completed=self._pace.share), styled(self._time_left())]
        line.add_row(*cells)
        return Group(line, styled((f"  {STOPPING}", "yellow"))) if self._is_stopping else line

    def _time_left(self) -> str:
        assert self._pace is not None
        seconds = self._pace.seconds_left(self._learner)
        left = "" if seconds is None else f" ~{duration(max(round(seconds), 1))} left"
        return f"{self._pace.share:.0%}{left}"

    def on_run_started(self, data: Mapping[str, Any]) -> None:
        """Say what is trained and where it is kept."""
        self._live.start()  # where nobody entered it with `with`, as in a script
        self.console.print(styled((opening(data), "bold")))

    def on_run_finished(self, _data: Mapping[str, Any]) -> None:
        """Stop moving."""
        self._live.stop()

    def on_step_started(self, data: Mapping[str, Any]) -> None:
        """Name the step on the moving line."""
        self._doing, self._fit = f"{data['step']} {data['name']}", ""

    def on_step_finished(self, data: Mapping[str, Any]) -> None:
        """Say what the step did and why, and what it found."""
        seconds = f" ({duration(data['seconds'])})" if data["seconds"] >= 0.5 else ""
        told = styled(
            (f"{data['step']} {data['name']}. ", "bold"), one_line(data["summary"]), (seconds, "dim")
        )
        print_paragraph(self.console, told, indent=2, label="✓")
        self._print_found()
        self._doing, self._fit = "…", ""

    def _print_found(self) -> None:
        for line in self._found:
            print_paragraph(self.console, line, indent=2)
        self._found.clear()

    def on_plan(self, data: Mapping[str, Any]) -> None:
        """Draw the bar over all fits."""
        self._pace = Pace(data["n_fits"])

    def on_fit_started(self, data: Mapping[str, Any]) -> None:
        """Name the fit on the moving line."""
        self._learner = data["learner"]
        of_folds = "" if data.get("fold") is None else f"/{data['n_folds'] // data.get('n_repeats', 1)}"
        self._fit = self._present_fit = f" · {data['learner']}, {which_fit(data)}{of_folds}"

    def on_round(self, data: Mapping[str, Any]) -> None:
        """Show the round and its loss on the moving line."""
        if self._pace is not None:
            self._pace.advance(data["round"] / max(data["n_rounds"], 1))
        metrics = data["metrics"]
        loss = metrics.get("validation", next(iter(metrics.values()), None))
        told = "" if loss is None else f", loss {loss:.3g}"
        self._fit = f"{self._present_fit}, round {data['round']}{told}"

    def on_steps(self, data: Mapping[str, Any]) -> None:
        """Show the step of a network, its training loss and its speed on the moving line."""
        if self._pace is not None:
            self._pace.advance(data["step"] / max(data["n_steps"], 1))
        metrics = data["metrics"]
        loss = f", loss {metrics['loss']:.3g}" if "loss" in metrics else ""
        speed = metrics.get("samples_per_second")
        speed = "" if speed is None else f", {number(speed)} rows/s"
        self._fit = f"{self._present_fit}, step {data['step']} of {data['n_steps']}{loss}{speed}"

    def on_samples(self, data: Mapping[str, Any]) -> None:
        """Show what a network writes while it learns to."""
        if written := written_line(data):
            self.console.print(styled((f"    {written}", "dim")))

    def on_fit_finished(self, data: Mapping[str, Any]) -> None:
        """Move the bar."""
        if self._pace is not None:
            self._pace.finish(data["learner"], data["seconds"])

    def on_finding(self, data: Mapping[str, Any]) -> None:
        """Keep a finding until its step has been told, but for notes; the end tells all of them."""
        if data["severity"] != "info":
            self._found.append(styled((finding_title(data), SEVERITIES[data["severity"]].style)))

    def on_run_failed(self, _data: Mapping[str, Any]) -> None:
        """Tell what was found before the run failed."""
        self._print_found()
        self._live.stop()

    def on_note(self, data: Mapping[str, Any]) -> None:
        """Pass on a note."""
        self.console.print(styled(("    " + one_line(data["message"]), "dim")))

    def on_run_stopped(self, data: Mapping[str, Any]) -> None:
        """Say that the run stops before its end."""
        self._is_stopping = False
        self.console.print(styled(("Stopped: " + one_line(data["reason"]), "yellow")))
