"""One text, all the way: from a file to a report and a package that writes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import groundup as gu
from groundup.core.errors import (
    DataError,
    MissingExtraError,
    ProblemError,
    RecipeError,
    RunError,
    TrainingError,
)
from groundup.core.events import Event, Request
from groundup.core.runs import RunFolder
from planted.prose import SMALL, write_prose


class Killed(BaseException):
    """What ends a run from outside."""


class Watcher:
    """Keeps every event, and kills the run, or asks it to stop, at the n-th event of a kind."""

    def __init__(self, kind: str = "", n: int = 0, *, stops: bool = False) -> None:
        self.events: list[Event] = []
        self.kind, self.n, self.stops = kind, n, stops

    def on_event(self, event: Event) -> Request | None:
        self.events.append(event)
        if self.n and sum(each.kind == self.kind for each in self.events) >= self.n:
            if self.stops:
                return "stop"
            self.n = 0
            raise Killed
        return None

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        pass

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        return [event.data for event in self.events if event.kind == kind]


@pytest.fixture(scope="module")
def prose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_prose(tmp_path_factory.mktemp("texts") / "prose.txt")


@pytest.fixture(scope="module")
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture(scope="module")
def run(prose: Path, watcher: Watcher, tmp_path_factory: pytest.TempPathFactory) -> gu.Run:
    """A finished run; a text file without a target needs no task."""
    return gu.train(
        prose, overrides=SMALL, runs=tmp_path_factory.mktemp("runs"), name="first", observers=[watcher]
    )


def digest_of(run: gu.Run) -> str:
    return run.writer.digest


def test_a_run_leaves_everything_behind(run: gu.Run) -> None:
    names = {path.name for path in run.folder.iterdir() if not path.name.startswith(".")}
    assert names >= {"asked.yaml", "data.json", "findings.json", "metrics.sqlite", "model"}
    assert names >= {"recipe.yaml", "report.html", "report.json", "run.json"}
    summary = RunFolder(run.folder).read_summary()
    assert (summary.status, summary.test_opened, summary.metric) == ("finished", 1, "bits_per_byte")
    assert summary.value == run.metrics["bits_per_byte"]["value"]
    assert [path.name for path in (run.folder / "checkpoints").iterdir()] == []


def test_it_beats_counting_pairs(run: gu.Run) -> None:
    baselines = run.summary["baselines"]
    assert run.metrics["bits_per_byte"]["high"] < 0.8 * baselines["bigram"]["bits_per_byte"]["low"]
    assert baselines["bigram"]["bits_per_byte"]["high"] < baselines["unigram"]["bits_per_byte"]["low"]
    assert [row["name"] for row in run.leaderboard] == ["transformer", "bigram", "unigram"]


def test_the_eight_steps_are_told(run: gu.Run, watcher: Watcher) -> None:
    assert [data["step"] for data in watcher.of("step_finished")] == list(range(1, 9))
    assert [step["step"] for step in run.summary["cost"]["steps"]] == list(range(1, 9))
    told = {data["step"]: data["summary"] for data in watcher.of("step_finished")}
    assert "12 000 characters, in order: 10 830 to learn from" in told[2]
    assert "weights, drawn at random" in told[4]
    assert "MB of memory" in told[5]
    assert [data["step"] for data in watcher.of("samples")] == [0, 20, 40, 60]
    assert [data["round"] for data in watcher.of("round")] == [0, 20, 40, 60]
    metrics = {(data["part"], data["name"]) for data in watcher.of("metric")}
    assert ("test", "bits_per_byte") in metrics


def test_what_it_wrote_is_kept(run: gu.Run) -> None:
    samples = run.summary["samples"]
    assert samples[0]["when"] == "before training"
    assert len(samples[-1]["text"]) == 160
    assert "saw" in samples[-1]["text"]
    assert "saw" not in samples[0]["text"]


def test_the_resolved_recipe_says_all_and_gives_the_same_model(run: gu.Run) -> None:
    recipe = run.recipe
    assert recipe.is_generation
    assert "auto" not in recipe.writer().model_dump().values()
    assert recipe.preparation.tokens.kind == "characters"
    assert (recipe.data.split.test, recipe.training.optimizer) == (0.05, "muon")
    text = (run.folder / "recipe.yaml").read_text()
    assert "too few to learn what many different tokens mean" in text
    reproduction = gu.reproduce(run.folder)
    assert (reproduction.equal, reproduction.differences) == (True, [])


def test_killed_and_resumed_equals_uninterrupted(run: gu.Run, prose: Path, tmp_path: Path) -> None:
    often = {**SMALL, "training.checkpoint_seconds": 1e-6}
    with pytest.raises(Killed):
        gu.train(prose, overrides=often, runs=tmp_path, name="k", observers=[Watcher("checkpoint", 23)])
    watcher = Watcher()
    resumed = gu.resume(tmp_path / "k", observers=[watcher])
    assert 0 < watcher.of("steps")[0]["step"] - 20 <= 20, "it went on in the middle"
    assert digest_of(resumed) == digest_of(run)
    for part in ("test", "validation", "baselines", "samples"):
        assert resumed.summary[part] == run.summary[part]
    assert resumed.summary["training"]["curve"] == run.summary["training"]["curve"]


def test_stopped_and_resumed_equals_uninterrupted(run: gu.Run, prose: Path, tmp_path: Path) -> None:
    stopped = gu.train(
        prose, overrides=SMALL, runs=tmp_path, name="s", observers=[Watcher("round", 2, stops=True)]
    )
    assert stopped.summary["status"] == "stopped"
    assert stopped.summary["training"]["n_steps"] < 60
    assert digest_of(gu.resume(tmp_path / "s")) == digest_of(run)


def test_byte_pairs_know_every_text(prose: Path, tmp_path: Path) -> None:
    asked = {
        **SMALL,
        "preparation.tokens.kind": "byte_pairs",
        "preparation.tokens.vocabulary": 300,
        "training.steps": 5,
        "problem.task": "generation",
    }
    run = gu.train(prose, model="transformer", overrides=asked, runs=tmp_path)
    assert run.summary["preparation"]["kind"] == "byte_pairs"
    assert run.summary["split"]["n_train"] > run.summary["preparation"]["n_tokens"]
    written = list(run.writer.generate("Grüße, 世界", n_tokens=30))
    assert all(written)


def test_characters_that_training_never_saw_are_counted(prose: Path, tmp_path: Path) -> None:
    text = prose.read_text()
    strange = tmp_path / "strange.txt"
    strange.write_text(text[:-100] + "ß" * 3 + text[-97:])
    run = gu.train(strange, overrides={**SMALL, "training.steps": 2}, runs=tmp_path)
    assert run.summary["preparation"]["n_unknown"] == 3


@pytest.mark.parametrize(
    ("overrides", "error", "words"),
    [
        ({"training.class_weight": "balanced"}, RecipeError, "`training.class_weight` is about tables"),
        ({"problem.metric": "rmse", "training.loss": "mse"}, RecipeError, "are about tables"),
        ({"model.name": "ridge"}, RecipeError, "does not do generation"),
        ({"model.candidates": ["transformer"]}, RecipeError, "no folds|none of"),
        ({"model.context": 6_000}, RecipeError, "`model.context` is `6000`"),
        ({"training.batch_size": 5_000}, TrainingError, "`training.batch_size` is `5000`"),
        ({"data.split.test": 0.001}, DataError, "test part has `12` tokens"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_leaves_nothing(
    prose: Path, tmp_path: Path, overrides: dict[str, Any], error: type[Exception], words: str
) -> None:
    asked = {"problem.task": "generation", **overrides}
    with pytest.raises(error, match=words):
        gu.train(prose, overrides=asked, runs=tmp_path / "runs")
    assert list((tmp_path / "runs").glob("*")) == []


def test_a_table_is_not_written_on(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"`problem\.target` is about tables"):
        gu.train("sample:iris", "species", overrides={"problem.task": "generation"}, runs=tmp_path)


def test_a_batch_that_does_not_fit_in_memory_is_refused_before_training(
    prose: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundup.training.cost.free_memory_bytes", lambda _device: 2_000_000)
    with pytest.raises(TrainingError, match=r"Set `training\.batch_size: \d+`"):
        gu.train(prose, overrides=SMALL, runs=tmp_path)


def test_without_torch_it_says_what_to_install(
    run: gu.Run, prose: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundup.models.networks.architectures.find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"groundup\[torch\]"):
        gu.train(prose, overrides=SMALL, runs=tmp_path)
    with pytest.raises(MissingExtraError, match=r"groundup\[torch\]"):
        gu.load_writer(run.folder)


def test_what_is_for_tables_says_so(run: gu.Run, prose: Path) -> None:
    with pytest.raises(ProblemError, match="groundup train"):
        gu.check(prose)
    with pytest.raises(RunError, match="learned to write"):
        gu.compare(run, run)
    with pytest.raises(gu.GroundupError, match="groundup generate"):
        gu.evaluate(run.folder, prose)


def test_the_report_page_shows_what_it_wrote(run: gu.Run) -> None:
    page = run.report.read_text()
    assert json.loads((run.folder / "report.json").read_text())["samples"][-1]["text"].split("\n")[1] in page
    assert page.count("<svg") >= 2
    assert "groundup generate" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
