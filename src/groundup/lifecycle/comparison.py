"""Runs beside each other: what was set differently, how they score, and whether the difference is real."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from groundup.core.errors import RunError
from groundup.core.findings import CODES
from groundup.core.runs import RunFolder
from groundup.core.tasks import GENERATION
from groundup.core.wording import count
from groundup.evaluation.comparison_page import render_comparison
from groundup.evaluation.intervals import BootstrapOptions, Interval
from groundup.evaluation.metrics import METRICS
from groundup.evaluation.together import Drawn, Part, draw_together
from groundup.lifecycle.measured_rows import MeasuredRows, pair_rows, read_measured
from groundup.recipe import Recipe

FEWEST_SHARED: Final = 30
"""With fewer rows that both runs tested on, the difference is taken between separate test parts."""

_SAME_QUESTION: Final = ("task", "target", "classes", "positive")


@dataclass(frozen=True)
class Comparison:
    """Two or more runs beside each other; the first is what the others are measured against.

    Parameters
    ----------
    runs : list of dict
        Each run's ``name``, ``folder``, ``model``, ``n_test``, ``source``, and curves for the charts.
    settings : list of dict
        ``option`` and ``values``, one a run; only where they differ. A value that a run does not have
        is None.
    metrics : list of dict
        The deciding metric first: ``name``, ``title``, ``higher_is_better``, ``scores`` (one a run, on
        its own test part) and ``differences`` (one a run but the first: it minus the first, with
        ``value``, ``low``, ``high`` and a ``verdict``: better, worse, equal or unclear).
    pairings : list of dict
        One a run but the first: ``how`` (same, shared or separate), ``n_rows``, and a sentence.
    confidence : float
        The level of every interval.

    Examples
    --------
    >>> Comparison([{"name": "a"}, {"name": "b"}], [], [], [], 0.95).to_json()["confidence"]
    0.95
    """

    runs: list[dict[str, Any]]
    settings: list[dict[str, Any]]
    metrics: list[dict[str, Any]]
    pairings: list[dict[str, Any]]
    confidence: float

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as a JSON object."""
        return asdict(self)

    def to_html(self) -> str:
        """Return the comparison as one self-contained page."""
        return render_comparison(self.to_json())

    def _repr_html_(self) -> str:
        """Return the page for a notebook."""
        return self.to_html()


@dataclass(frozen=True, eq=False)
class _Side:
    """One run as far as a comparison needs it."""

    folder: RunFolder
    report: Mapping[str, Any]
    recipe: Recipe
    rows: MeasuredRows

    @property
    def name(self) -> str:
        return self.folder.path.name

    def options(self) -> BootstrapOptions:
        """Return how the run's own intervals were made, by the rows it tested on."""
        stated = self.report["predictions"]
        return BootstrapOptions(
            confidence=self.report["confidence"],
            resamples=stated["resamples"],
            seed=stated["seed"],
            groups=self.rows.groups,
            times=self.rows.times,
        )


def compare_runs(folders: Sequence[Path]) -> Comparison:
    """Compare runs that answer the same question; see `groundup.compare`."""
    if len(folders) < 2:
        raise RunError("A comparison needs at least two runs, e.g. groundup compare first second.")
    sides = [_open(RunFolder(Path(folder))) for folder in folders]
    first, *others = sides
    for other in others:
        _refuse_other_question(first, other)
    names = [name for name in first.report["test"] if all(name in side.report["test"] for side in sides)]
    if not names:
        asked = ", ".join(f"`{side.name}` {side.report['problem']['metric']}" for side in sides)
        raise RunError(
            f"These runs answer different questions and share no metric: {asked}. Compare runs that "
            "predict the same quantile."
        )
    pairs = [_Pair(first, other) for other in others]
    lead = first.report["problem"]["metric"]
    names.sort(key=lambda name: name != lead)
    drawn = [pair.drawn(names) for pair in pairs]
    return Comparison(
        runs=[_facts(side) for side in sides],
        settings=list(_differing([side.recipe for side in sides])),
        metrics=[_metric(name, sides, drawn) for name in names],
        pairings=[pair.facts() for pair in pairs],
        confidence=first.report["confidence"],
    )


def _open(folder: RunFolder) -> _Side:
    report = folder.read_report()
    if report["problem"]["task"] == GENERATION:
        raise RunError(
            f"`{folder.path}` learned to write, and has no rows to compare. Its scores: "
            f"groundup show {folder.path}"
        )
    return _Side(folder, report, Recipe.load(folder.recipe), read_measured(folder, report))


def _refuse_other_question(first: _Side, other: _Side) -> None:
    for key in _SAME_QUESTION:
        values = [side.report["problem"].get(key) for side in (first, other)]
        if values[0] != values[1]:
            raise RunError(
                f"`{first.name}` and `{other.name}` answer different questions: their {key} is "
                f"`{values[0]}` and `{values[1]}`. Compare runs with the same target."
            )


def _facts(side: _Side) -> dict[str, Any]:
    report = side.report
    return {
        "name": side.name,
        "folder": str(side.folder.path),
        "model": report["model"]["name"],
        "source": report["data"]["origin"],
        "n_test": side.rows.n_rows,
        "curve": report["training"]["curve"],
        "loss": report["training"]["loss"],
        "roc": (report["curves"].get("roc") or []) if len(report["problem"]["classes"]) == 2 else [],
        "findings": [code for code in CODES if any(each["code"] == code for each in report["findings"])],
    }


def _flat(value: object, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def _differing(recipes: Sequence[Recipe]) -> Iterator[dict[str, Any]]:
    """Yield the options that are not the same in all resolved recipes."""
    flat = [dict(_flat(recipe.model_dump(mode="json"))) for recipe in recipes]
    for option in dict.fromkeys(option for each in flat for option in each):
        values = [each.get(option) for each in flat]
        if any(value != values[0] for value in values):
            yield {"option": option.replace("model.hyperparameters.", "model."), "values": values}


class _Pair:
    """Two runs, and which of their test rows can be compared."""

    def __init__(self, first: _Side, other: _Side) -> None:
        self.first, self.other = first, other
        prints = [side.report["data"]["fingerprint"] for side in (first, other)]
        self.is_same_data = prints[0] == prints[1]
        rows, others = pair_rows(first.rows, other.rows, is_same_data=self.is_same_data)
        self.n_shared = len(rows)
        self.is_paired = self.n_shared >= min(FEWEST_SHARED, first.rows.n_rows, other.rows.n_rows) > 0
        self.rows = (first.rows.take(rows), other.rows.take(others))

    @property
    def how(self) -> str:
        """Return `same`, `shared` or `separate`: on which rows the difference is measured."""
        if not self.is_paired:
            return "separate"
        is_same = self.n_shared == self.first.rows.n_rows == self.other.rows.n_rows
        return "same" if is_same else "shared"

    def facts(self) -> dict[str, Any]:
        n_rows = self.n_shared if self.is_paired else None
        return {"run": self.other.name, "how": self.how, "n_rows": n_rows, "sentence": self._sentence()}

    def _sentence(self) -> str:
        names = f"`{self.first.name}` and `{self.other.name}`"
        if self.how == "same":
            return f"{names} were tested on the same {count(self.n_shared, 'row')}."
        why = "the split differs" if self.is_same_data else "the data differ"
        if self.how == "shared":
            return (
                f"The test parts of {names} are not the same, because {why}: the difference is measured on "
                f"the {count(self.n_shared, 'row')} that both tested on, the scores on each run's own."
            )
        return (
            f"The test parts of {names} have only {count(self.n_shared, 'row')} in common, because {why}. "
            "The difference is taken between separate rows: its interval is wider, and different rows may be "
            "harder. Train both with the same data, `data.split` and `training.seed` for a fair comparison."
        )

    def drawn(self, names: Sequence[str]) -> tuple[Drawn, Drawn]:
        """Return the metrics of both, under resamples drawn together where the rows are the same."""
        functions = {name: METRICS[name].function for name in names}
        positive = self.first.report["predictions"]["positive"]
        if not self.is_paired:
            one, other = (
                draw_together(
                    functions,
                    side.rows.y_true,
                    [Part(side.rows.predictions)],
                    options=replace(side.options(), seed=seed, resamples=1000),
                    positive=positive,
                )[0]
                for seed, side in enumerate((self.first, self.other))
            )
            return one, other
        ours, theirs = self.rows
        options = replace(self.first.options(), groups=ours.groups, times=ours.times)
        one, other = draw_together(
            functions,
            ours.y_true,
            [Part(ours.predictions), Part(theirs.predictions)],
            options=options,
            positive=positive,
        )
        return one, other


def _metric(name: str, sides: Sequence[_Side], drawn: Sequence[tuple[Drawn, Drawn]]) -> dict[str, Any]:
    metric = METRICS[name]
    return {
        "name": name,
        "title": metric.title,
        "higher_is_better": metric.higher_is_better,
        "explanation": metric.explanation,
        "scores": [side.report["test"][name] for side in sides],
        "differences": [_difference(name, one, other) for one, other in drawn],
    }


def _difference(name: str, one: Drawn, other: Drawn) -> dict[str, Any]:
    interval = other.minus(one, name)
    return interval.to_json() | {"verdict": _verdict(interval, METRICS[name].higher_is_better)}


def _verdict(interval: Interval, higher_is_better: bool) -> str:
    low, high = interval.low, interval.high
    if low == high == interval.value == 0:
        return "equal"
    if low is None or high is None or low <= 0 <= high:
        return "unclear"
    return "better" if (low > 0) == higher_is_better else "worse"
