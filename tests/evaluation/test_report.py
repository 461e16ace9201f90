"""The page: complete from a full report, honest from a partial one, closed to hostile text."""

import copy
import html
import re
import runpy
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.evaluation import charts
from groundup.evaluation.report import COLUMNS_DRAWN, bars_path, render_report

VOID = {"meta", "br", "link", "input", "img", "hr"}
HOSTILE = "\"><img src=x onerror=alert(1)><script>alert('x')</script>`${7*7}`{{7*7}}</style></svg>"
NAMES = ("binary", "multiclass", "regression")


class Reader(HTMLParser):
    """Checks that elements nest, and keeps what the tests ask about."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, attrs)
        found = dict(attrs)
        self.tags.append((tag, found))
        self.ids += [found["id"] or ""] if "id" in found else []
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing, line {self.getpos()}"
        assert self.open.pop() == tag, f"</{tag}> closes another element, line {self.getpos()}"

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def words(page: str) -> str:
    return re.sub(r"\s+", " ", " ".join(read(page).text).replace("\u202f", " "))


@pytest.fixture(scope="module")
def examples() -> Mapping[str, dict[str, Any]]:
    module = runpy.run_path(str(Path(__file__).with_name("report_examples.py")))
    makers: dict[str, Callable[[], dict[str, Any]]] = {name: module[f"{name}_report"] for name in NAMES}
    return {name: make() for name, make in makers.items()}


@pytest.fixture(scope="module")
def pages(examples: Mapping[str, dict[str, Any]]) -> Mapping[str, str]:
    return {name: render_report(report) for name, report in examples.items()}


@pytest.mark.parametrize("name", NAMES)
def test_page_is_well_formed_and_accessible(pages: Mapping[str, str], name: str) -> None:
    reader = read(pages[name])
    assert len(reader.ids) == len(set(reader.ids))
    assert reader.headings[0] == 1
    assert reader.headings.count(1) == 1
    steps = zip(reader.headings, reader.headings[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps)
    for tag, found in reader.tags:
        assert tag != "th" or found.get("scope") in ("col", "row")
        assert tag != "svg" or (found.get("role") == "img" and found.get("aria-label"))
        assert tag != "a" or (found.get("href") or "").removeprefix("#") in reader.ids


@pytest.mark.parametrize("name", NAMES)
def test_page_requests_nothing(pages: Mapping[str, str], name: str) -> None:
    page = pages[name].replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "http:" not in page
    assert "https:" not in page
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)
    reader = read(page)
    assert not [tag for tag, found in reader.tags if tag in ("link", "img", "iframe") or found.get("src")]
    assert [tag for tag, _ in reader.tags].count("script") == 1


@pytest.mark.parametrize("name", NAMES)
def test_page_follows_the_eight_steps(pages: Mapping[str, str], name: str) -> None:
    text = words(pages[name])
    titles = (
        "1 Define the problem",
        "2 Collect and preprocess data",
        "3 Design the model",
        "4 Initialise",
        "5 Loss and optimizer",
        "6 Train",
        "7 Evaluate and tune",
        "8 Deploy",
    )
    places = [text.rindex(title) for title in titles]
    assert places == sorted(places)
    assert "None" not in re.sub(r"\bNone\.", "", text)
    assert "Undefined" not in text
    assert "nan" not in text.lower().split()


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("binary", ("Confusion matrix", "ROC curve", "Precision and recall", "Calibration")),
        ("multiclass", ("Confusion matrix", "ROC curve", "Class balance", "Importance of columns")),
        (
            "regression",
            ("Predicted and actual", "Errors", "Scores fold by fold", "Loss by number of training rows"),
        ),
    ],
)
def test_charts_with_data_are_drawn(pages: Mapping[str, str], name: str, titles: tuple[str, ...]) -> None:
    captions = re.findall(r"<figcaption><b>([^<]*)</b>", pages[name])
    assert set(titles) <= set(captions)
    assert len(captions) == len(set(captions))


def test_every_number_stands_on_the_page(examples: Mapping[str, Any], pages: Mapping[str, str]) -> None:
    text = words(pages["binary"])
    report = examples["binary"]
    for column in report["data"]["columns"]:
        assert column["name"] in text
    for name, setting in report["model"]["hyperparameters"].items():
        assert name in text
        assert setting["description"] in text
    for package, version in report["reproduce"]["packages"].items():
        assert f"{package} {version}" in text
    assert report["reproduce"]["model_digest"] in text
    assert report["data"]["fingerprint"] in text
    assert "an assumed 15 W" in text


def test_headline_compares_with_the_baseline(pages: Mapping[str, str]) -> None:
    text = words(pages["binary"])
    assert re.search(r"On 171 rows it had never seen, the model was right on 9\d\.\d % \(95 % interval", text)
    assert "Always answering benign would be right on 62.6 %." in text
    assert "Always answering the mean would be off by" in words(pages["regression"])


@pytest.mark.parametrize("name", NAMES)
def test_any_part_may_be_absent_or_none(
    examples: Mapping[str, dict[str, Any]], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Drawing is what takes time, and test_charts does it; the specifications are still made.
    monkeypatch.setattr(charts, "to_svg", lambda spec, ids: f'<svg role="img" aria-label="{ids}"></svg>')
    report = examples[name]
    for key in report:
        read(render_report({**report, key: None}))
        read(render_report({other: value for other, value in report.items() if other != key}))


def test_empty_and_stopped_runs_have_a_page() -> None:
    assert "No model has been measured yet" in words(render_report({}))
    stopped = {"status": "stopped", "folder": "runs/a b", "findings": [], "created": "2026-01-02"}
    text = words(render_report(stopped))
    assert "stopped before it was finished" in text
    assert "groundup resume 'runs/a b'" in text


def test_validation_score_is_not_sold_as_a_test_score() -> None:
    report = {
        "problem": {"task": "classification", "metric": "accuracy"},
        "split": {"n_validation": 50, "n_train": 200, "n_test": 60, "test_opened": 0},
        "validation": {"accuracy": {"value": 0.8, "low": 0.7, "high": 0.9}},
    }
    text = words(render_report(report))
    assert "On 50 rows that also steered training" in text
    assert "The test part is still sealed." in text


def _poison(value: Any) -> Any:
    """Return the report with hostile text in every string and key that is free text."""
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, list | tuple):
        return [_poison(each) for each in value]
    return {key: _poison(each) for key, each in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("name", NAMES)
def test_hostile_text_stays_text(examples: Mapping[str, dict[str, Any]], name: str) -> None:
    report = _poison(copy.deepcopy(examples[name]))
    for section, key in (("problem", "task"), ("problem", "metric"), ("selection", "metric")):
        report[section][key] = examples[name][section][key]
    report["model"]["hyperparameters"][HOSTILE] = {"value": HOSTILE, "description": HOSTILE}
    report["test"][HOSTILE] = {"value": 1.0, "low": 0.5, "high": 1.5}
    report["findings"][0] |= {"patch": {HOSTILE: HOSTILE}, "evidence": {HOSTILE: [HOSTILE]}}
    report["findings"][1]["severity"] = HOSTILE
    page = render_report(report)
    reader = read(page)
    assert [tag for tag, _ in reader.tags].count("script") == 1
    assert not [tag for tag, _ in reader.tags if tag == "img"]
    assert not [name for _, found in reader.tags for name in found if name.startswith("on")]
    assert "7*7" in page
    assert "49" not in words(render_report({"run": "{{7*7}}"}))
    assert html.escape("<script>") in page


def test_only_the_pages_own_script_may_run(pages: Mapping[str, str]) -> None:
    import base64
    import hashlib

    page = pages["binary"]
    script = page[page.index("<script>") + 8 : page.index("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page


def test_ten_thousand_columns_give_a_page_below_five_megabytes() -> None:
    column = {
        "kind": "number", "storage": "float", "reason": "812 distinct numbers", "n": 1000, "n_missing": 10,
        "n_unique": 812, "minimum": -3.14159, "maximum": 3.21, "mean": 0.01, "std": 1.01,
        "quartiles": [-0.67, 0.0, 0.67], "histogram": {"edges": [0, 1, 2], "counts": [3, 4]},
    }  # fmt: skip
    names = [f"a_measurement_with_quite_a_long_name_{i:05d}" for i in range(10_000)]
    plan = {"kind": "number", "n_features": 1, "why": column["reason"]}
    plan["steps"] = ["missing becomes the median 0.0123", "scaled to mean 0 and deviation 1"]
    columns = [{**column, "name": name} for name in names]
    page = render_report(
        {
            "data": {"n_rows": 1000, "n_columns": 10_000, "columns": columns},
            "preparation": {"n_features": 10_000, "columns": [{**plan, "column": name} for name in names]},
            "importance": [{"column": name, "importance": 0.1, "low": 0.0, "high": 0.2} for name in names],
        }
    )
    assert len(page.encode()) < 5_000_000
    assert page.count('class="spark"') == COLUMNS_DRAWN
    assert names[5000] in page
    assert "5\u202f000 more stand in <code>report.json</code>" in page


def test_a_category_has_no_smallest_value() -> None:
    column = {"name": "city", "kind": "category", "n": 9, "n_missing": 0, "n_unique": 2}
    page = render_report({"problem": {"target": "y"}, "data": {"columns": [column]}})
    assert "&#34;&#34;" not in page
    assert '<td class="num">–</td>' in page


def test_missing_histogram_edges_and_levels_are_survived() -> None:
    moments = {"edges": ["2026-01-01T00:00:00", "2026-01-03T00:00:00"], "counts": [3]}
    levels = [{"value": "Bonn", "count": 3}]
    columns = [
        {"name": "moment", "kind": "datetime", "minimum": "2026-01-02T00:00:00", "histogram": moments},
        {"name": "empty", "kind": "constant", "n_missing": 3, "histogram": {"edges": [], "counts": []}},
        {"name": "city", "kind": "category", "n": 3, "n_missing": 0, "levels": levels},
    ]
    text = words(render_report({"data": {"n_rows": 3, "n_columns": 3, "columns": columns}}))
    assert "2026-01-02" in text
    assert "2026-01-02T" not in text
    assert "Bonn" in text


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 10**9), max_size=30), st.booleans())
def test_small_bars_stay_inside_their_frame(counts: list[int], with_edges: bool) -> None:
    edges = [0.5 * i * i for i in range(len(counts) + 1)] if with_edges else None
    path = bars_path(counts, edges)
    assert (path == "") == (not any(counts))
    for x, y in re.findall(r"M([\d.]+) [\d.]+V([\d.]+)H", path):
        assert 0 <= float(x) <= 120
        assert 0 <= float(y) <= 28
