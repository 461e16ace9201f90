"""A finished run, as Python sees it: a folder, its scores, its findings, its model."""

from functools import cached_property
from pathlib import Path
from typing import Any

from groundup.core.findings import Finding
from groundup.core.runs import RunFolder
from groundup.recipe import Recipe
from groundup.serving.model import Model
from groundup.serving.package import load_package
from groundup.serving.writer import Writer, load_writer


class Run:
    """What a run left behind; everything is read from its folder.

    Parameters
    ----------
    folder : Path
        The run folder.

    Attributes
    ----------
    summary : dict
        What stands in `report.json`.
    metrics : dict
        The test scores: ``run.metrics["roc_auc"]["value"]``, with ``"low"`` and ``"high"``.
    findings : list of Finding
        What the doctor noticed.
    leaderboard : list of dict
        The candidates, best first.
    report : Path
        The page to open in a browser.
    model : Model
        The packaged model of a table.
    writer : Writer
        The packaged model of a text.
    recipe : Recipe
        The resolved recipe.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        self._files = RunFolder(folder)
        self.report = self._files.report_html

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The facts behind the report."""
        return self._files.read_report()

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """The test scores with their intervals, by metric."""
        return dict(self.summary["test"])

    @property
    def findings(self) -> list[Finding]:
        """What the doctor noticed, in the order it was found."""
        return [
            Finding(**{key: value for key, value in finding.items() if key != "title"})
            for finding in self.summary["findings"]
        ]

    @property
    def leaderboard(self) -> list[dict[str, Any]]:
        """The candidates, best first."""
        return list(self.summary["leaderboard"])

    @cached_property
    def model(self) -> Model:
        """The packaged model, its digests checked."""
        return load_package(self._files.model)

    @cached_property
    def writer(self) -> Writer:
        """The packaged model that writes, its digests checked."""
        return load_writer(self._files.model)

    @cached_property
    def recipe(self) -> Recipe:
        """The resolved recipe."""
        return Recipe.load(self._files.recipe)

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"

    def _repr_html_(self) -> str:
        """Return the report for a notebook."""
        return self.report.read_text(encoding="utf-8")
