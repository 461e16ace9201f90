"""What users do to a tool, end to end: the right result with a finding, or one paragraph and exit code 2."""

import gzip
import json
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import groundup
from groundup.core.errors import GroundupError
from groundup.core.files import write_json
from groundup.core.runs import RunFolder

Main = Callable[..., tuple[int, str, str]]

N_ROWS = 60


def table(header: str, row: Callable[[int], str], n_rows: int = N_ROWS) -> str:
    return "\n".join([header, *map(row, range(n_rows))]) + "\n"


GOOD = table("a,b,y", lambda i: f"{i * 7 % 17},{'pqr'[i % 3]},{'up' if i * 7 % 5 < 2 else 'down'}")


def target(*values: str) -> str:
    return table("a,b,y", lambda i: f"{i * 7 % 17},{'pqr'[i % 3]},{values[i % len(values)]}")


@pytest.fixture(autouse=True)
def work_in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(answer: tuple[int, str, str]) -> str:
    """Return the message, after checking that it is one paragraph and that nothing was left behind."""
    code, out, err = answer
    assert code == 2, err
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert not list(Path().rglob("*.tmp*"))
    assert not Path("runs").is_dir() or not list(Path("runs").iterdir())
    return err


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("empty.csv", b"", ["`{}`", "empty"]),
        ("blank.csv", b"\n \n\n", ["`{}`", "blanks"]),
        ("header.csv", b"a,b,y\n", ["`{}`", "column names but no rows", "`y`"]),
        ("image.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, ["`{}`", "PNG image"]),
        ("noise.csv", random.Random(0).randbytes(3000), ["`{}`", "binary"]),
        ("cut.csv.gz", gzip.compress(GOOD.encode())[:-40], ["`{}`", "damaged"]),
        ("broken.parquet", b"PAR1" + b"x" * 99 + b"PAR1", ["`{}`", "damaged"]),
        ("no_target.csv", GOOD.replace("y\n", "price\n", 1), ["no column `y`", "`price`"]),
        ("only_target.csv", "y\n" + "u\nv\n" * 20, ["no column left"]),
        ("one.csv", "a,b,y\n1,2,u\n", ["constant"]),
        (
            "five.csv",
            "a,b,y\n" + "1,2,u\n2,3,v\n" * 2 + "3,3,u\n",
            ["Only 5 rows", "at least 10", "Add rows"],
        ),
        ("no_answers.csv", target(""), ["missing in all 60 rows"]),
        ("dashes.csv", target("+", "-"), ["constant", "30 of 60 rows", "`data.missing`"]),
        ("dates.csv", target("2020-01-01", "2021-05-01"), ["holds dates"]),
        ("many.csv", table("a,y", lambda i: f"{i % 7},c{i % 250}", 500), ["250 different values"]),
        ("constant.csv", table("a,b,y", lambda i: f"1,k,{'uv'[i % 2]}"), ["No column is left", "`a`", "`b`"]),
        (
            "ids.csv",
            table("id,y", lambda i: f"{i + 1},{'uv'[i * 7 % 5 // 3]}"),
            ["No column is left", "`id`"],
        ),
        (
            "huge.csv",
            table("a,y", lambda i: f"{i * 7 % 17},{(i * 7 % 13 - 6.5) * 1e299}"),
            ["too large", "Divide"],
        ),
        ("tiny.csv", table("a,y", lambda i: f"{i * 7 % 17},{(i * 7 % 13 - 6.5) * 1e-300}"), ["Multiply"]),
    ],
)
def test_a_file_that_cannot_be_learned_from(
    groundup_main: Main, name: str, content: str | bytes, parts: list[str]
) -> None:
    path = Path(name)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    err = refused(groundup_main("train", name, "--target", "y", "--progress", "quiet"))
    for part in parts:
        assert part.format(path.absolute()) in err


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("nowhere.csv", "-t", "y"), ["There is no file", "`good.csv`"]),
        (("godo.csv", "-t", "y"), ["Did you mean", "good.csv"]),
        (("sample:titanc", "-t", "y"), ["Did you mean `titanic`?"]),
        (("good.csv",), ["No target is named", "`a`, `b`, `y`"]),
        (("good.csv", "-t", "Y"), ["no column `Y`", "Did you mean `y`?"]),
        (("good.csv", "-t", "y", "--task", "regression"), ["no number", "`down`, `up`"]),
        (("good.csv", "-t", "y", "-m", "xgbost"), ["no learner `xgbost`"]),
        (("good.csv", "-t", "y", "-m", "ridge"), ["does not do classification"]),
        (("good.csv", "-t", "y", "--name", "a/b"), ["`a/b` cannot be a run's name"]),
        (("good.csv", "-t", "y", "--name", "last"), ["`last` means the newest run"]),
        (("good.csv", "-t", "y", "--runs", "good.csv/x"), ["Cannot make a run folder", "is a file"]),
        (("good.csv", "-t", "y", "--runs", "/proc/x"), ["Cannot make a run folder"]),
        (("g\udcf6od.csv", "-t", "y"), ["is not UTF-8"]),
        (("good.csv", "-t", "y", "--set", "data.delimiter=;"), ["no column `y`", "`a,b,y`"]),
        (("good.csv", "-t", "y", "--set", "data.encoding=utf-16"), ["not written in `utf-16`"]),
        (("good.csv", "-t", "y", "--set", "data.encoding=hex"), ["no encoding `hex`"]),
        (("good.csv", "-t", "y", "--set", "data.columns.b=number"), ["row 1", "column `b`", "`p`"]),
        (("good.csv", "-t", "y", "--set", "data.columns.z=number"), ["no column `z`"]),
        (("good.csv", "-t", "y", "--set", "data.drop=a"), ["`data.drop` is `a`", "a list"]),
        (("good.csv", "-t", "y", "--set", "training=3"), ["`training` is `3`", "section"]),
        (("good.csv", "-t", "y", "--set", "training.threads=0"), ["`training.threads` is `0`"]),
        (("good.csv", "-t", "y", "--set", "training.seed="), ["`training.seed` is `null`"]),
        (("good.csv", "-t", "y", "--set", "seed=3"), ["Did you mean `training.seed`?"]),
        (("good.csv", "-t", "y", "--set", "problem.metric=rmse"), ["`rmse` does not fit classification"]),
        (("good.csv", "-t", "y", "--set", "problem.positive=maybe"), ["`maybe`", "`down`, `up`"]),
        (("good.csv", "-t", "y", "--set", "data.split.method=time"), ["`data.split.time`"]),
        (("good.csv", "-t", "y", "--set", "data.split.time=b"), ["`b` holds text"]),
        (("good.csv", "-t", "y", "--set", "data.split.group=b"), ["at least 2 groups"]),
        (("good.csv", "-t", "y", "--set", "data.split.column=b"), ["`p`, which is no part", "row 1"]),
    ],
)
def test_words_that_do_not_fit(groundup_main: Main, words: tuple[str, ...], parts: list[str]) -> None:
    Path("good.csv").write_text(GOOD)
    err = refused(groundup_main("train", *words, "--progress", "quiet"))
    for part in parts:
        assert part in err


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("trainin:\n  seed: 3\n", ["r.yaml:5", "Did you mean `training`?"]),
        ("training:\n  sed: 3\n", ["r.yaml:6", "Did you mean `seed`?"]),
        ("training:\n  seed: many\n", ["r.yaml:6", "`many`", "a valid integer."]),
        ("seed: 3\n", ["r.yaml:5", "Did you mean `training.seed`?"]),
        ("training:\n\tseed: 3\n", ["r.yaml:6", "not with tabs"]),
        ("training:\n  seed: 3\n  seed: 4\n", ["r.yaml:7", "stands twice, first on line 6"]),
        ("training:\n  seed: [1\n", ["r.yaml:7"]),
        ("training: &a\n  seed: 3\n  <<: *a\n", ["r.yaml", "contains itself"]),
        ("training:\n  seed: !!python/object:os.system x\n", ["r.yaml:6"]),
        ("1: 2\n", ["r.yaml:5", "no option `1`"]),
        ("model:\n  name: logistic\n  alhpa: 2\n", ["r.yaml:7", "no option `alhpa`"]),
        ("model:\n  name: lightgmb\n", ["r.yaml:6", "Did you mean `lightgbm`?"]),
        ("\x00", ["r.yaml", "not valid YAML"]),
    ],
)
def test_a_recipe_with_a_mistake(groundup_main: Main, text: str, parts: list[str]) -> None:
    Path("r.yaml").write_text("data:\n  source: good.csv\nproblem:\n  target: y\n" + text)
    err = refused(groundup_main("train", "r.yaml"))
    for part in parts:
        assert part in err


def test_a_recipe_that_is_none(groundup_main: Main) -> None:
    Path("recipe.yaml").write_bytes(b"\xff\xfea")
    Path("list.yaml").write_text("- a\n")
    assert "Did you mean `recipe.yaml`?" in refused(groundup_main("train", "recipes.yaml"))
    assert "Save it as UTF-8" in refused(groundup_main("train", "recipe.yaml"))
    assert "list.yaml:1" in refused(groundup_main("train", "list.yaml"))


def test_a_recipe_may_say_nothing_in_a_section_and_name_columns_like_numbers(groundup_main: Main) -> None:
    Path("r: 1").mkdir()
    (Path("r: 1") / "no.csv").write_text(GOOD.replace("a,b,y", "1,no,y"))
    columns = "columns: {1: number, no: category}"
    text = f"data:\n  source: no.csv\n  header: true\n  {columns}\nproblem: {{target: y}}\ntraining:\n"
    (Path("r: 1") / "r.yaml").write_text(text)
    code, out, err = groundup_main("check", "r: 1/r.yaml", "--json")
    assert (code, err) == (0, "")
    assert {column["name"]: column["kind"] for column in json.loads(out)["schema"]} == {
        "1": "number",
        "no": "category",
        "y": "category",
    }


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (GOOD.replace("\n14,", "\n14,x,", 1), {"D001"}),
        (GOOD.replace("a,b,y", "a,a,y"), {"D002"}),
        (GOOD.replace("a,b,y", "a,,y"), {"D002"}),
        (GOOD.replace("p", "é").encode("latin-1"), {"D003"}),
        (target("up", "down", ""), {"D004"}),
        (GOOD.replace("\n14,", "\noops,"), {"D008"}),
        (GOOD.replace("\n14,", "\ninf,"), {"D009"}),
        (b"\xef\xbb\xbf" + GOOD.encode(), set()),
        (target("1.5", "2.5"), set()),
        (GOOD.encode("utf-16"), set()),
        (GOOD.encode("utf-16-le"), set()),
        (GOOD.replace(",", ";"), set()),
        (GOOD.replace("\n14,", "\n1e308,").replace("\n7,", "\n-1e308,"), set()),
    ],
)
def test_a_file_that_is_read_with_a_finding(
    groundup_main: Main, content: str | bytes, codes: set[str]
) -> None:
    Path("t.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    code, out, err = groundup_main("check", "t.csv", "-t", "y", "--json")
    assert (code, err) == (0, "")
    assert codes <= {finding["code"] for finding in json.loads(out)["findings"]}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small run; its target has the most awkward name."""
    rows = {
        "num": [i * 7 % 17 + i / 10 for i in range(N_ROWS)],
        "cat": ["pqr"[i % 3] for i in range(N_ROWS)],
        "probability_<a>": ["<a>" if i * 7 % 5 < 2 else "down" for i in range(N_ROWS)],
    }
    runs = tmp_path_factory.mktemp("runs")
    frame = pl.DataFrame(rows)
    return groundup.train(frame, "probability_<a>", model="logistic", runs=runs, name="first").folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """Return a copy of the run that a test may damage."""
    return Path(shutil.copytree(trained, tmp_path / "mine" / "first"))


@pytest.mark.parametrize(
    ("content", "code", "parts"),
    [
        ("num,cat\n1,p\n", 0, []),
        ("cat,more,num\np,1,1\n", 0, []),
        ("num,cat\nabc,p\n", 0, ["D008", "`num`", "`abc`"]),
        ("num,cat\n1,new\n", 0, []),
        ("num\n1\n2\n", 2, ["no column `cat`", "deployment.missing_columns"]),
        ("number,cat\n1,p\n", 2, ["no column `num`"]),
        ("u,v\n1,2\n", 2, ["new.csv has none of the columns", "`num`, `cat`"]),
        ("num,cat\n", 2, ["no rows"]),
        ("", 2, ["empty"]),
    ],
)
def test_rows_to_predict(
    groundup_main: Main, trained: Path, content: str, code: int, parts: list[str]
) -> None:
    Path("new.csv").write_text(content)
    answer = groundup_main("predict", str(trained), "new.csv", "-o", "out.csv")
    if code == 0:
        names = ("probability_<a>", "probability_<a>_2", "probability_down")
        assert tuple(pl.read_csv("out.csv").columns) == names
    assert answer[0] == code, answer[2]
    told = answer[1] if code == 0 else refused(answer)
    for part in parts:
        assert part in told
    assert Path("out.csv").exists() == (code == 0)


@pytest.mark.parametrize(
    ("output", "part"),
    [
        ("out.xlsx", "must end in .csv"),
        ("new.csv", "holds the rows to predict"),
        ("new.csv/out.csv", "is a file, not a folder"),
        ("/proc/nowhere/out.csv", "Cannot write `/proc/nowhere/out.csv`"),
        ("folder.csv", "is a directory"),
    ],
)
def test_a_place_where_no_predictions_can_be_written(
    groundup_main: Main, trained: Path, output: str, part: str
) -> None:
    Path("new.csv").write_text("num,cat\n1,p\n")
    Path("folder.csv").mkdir()
    assert part in refused(groundup_main("predict", str(trained), "new.csv", "-o", output))
    assert Path("new.csv").read_text() == "num,cat\n1,p\n"


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("num,cat\n1,p\n", ["no column `probability_<a>`"]),
        ("num,cat,probability_<a>\n1,p,\n", ["nothing to compare with"]),
        ("num,cat,probability_<a>\n1,p,down\n1,p,new\n", ["`new`", "none of the classes", "`<a>`, `down`"]),
    ],
)
def test_rows_to_evaluate(groundup_main: Main, trained: Path, content: str, parts: list[str]) -> None:
    Path("new.csv").write_text(content)
    err = refused(groundup_main("evaluate", str(trained), "new.csv"))
    for part in parts:
        assert part in err


def test_a_name_in_the_data_is_no_part_of_the_page(trained: Path) -> None:
    page = (trained / "report.html").read_text()
    assert "<a>" not in page
    assert "&lt;a&gt;" in page


@pytest.mark.parametrize(
    ("verb", "file", "content", "parts"),
    [
        ("show", "report.json", '{"status": "fin', ["report.json` is damaged", "groundup train"]),
        ("show", "report.json", "{}", ["report.json` is damaged"]),
        ("show", "report.json", "[]", ["report.json` is damaged"]),
        ("show", "report.json", None, ["it is gone", "groundup train"]),
        ("resume", "run.json", "x", ["is not a run"]),
        ("resume", "run.json", '{"name": "first", "status": "stopped", "created": "now"}', ["is not a run"]),
        ("resume", "report.json", "{}", ["has ended already"]),
        ("reproduce", "report.json", "{}", ["report.json` is damaged"]),
        ("reproduce", "recipe.yaml", "data: [", ["recipe.yaml:1"]),
        ("reproduce", "model/manifest.json", "{}", ["manifest.json"]),
    ],
)
def test_a_run_that_was_damaged_by_hand(
    groundup_main: Main, run: Path, verb: str, file: str, content: str | None, parts: list[str]
) -> None:
    before = {path.name for path in run.parent.iterdir()}
    if content is None:
        (run / file).unlink()
    else:
        (run / file).write_text(content)
    err = refused(groundup_main(verb, str(run)))
    for part in parts:
        assert part in err
    assert {path.name for path in run.parent.iterdir()} == before


def test_a_run_whose_data_facts_are_damaged_does_not_go_on(groundup_main: Main, run: Path) -> None:
    RunFolder(run).update_summary(status="running")
    (run / "data.json").write_text("{")
    assert "data.json` is damaged" in refused(groundup_main("resume", str(run), "--progress", "quiet"))
    assert (run / "report.json").is_file()


def test_a_broken_run_does_not_hide_the_others(groundup_main: Main, run: Path) -> None:
    (run.parent / "broken").mkdir()
    write_json(run.parent / "broken" / "run.json", {"created": "yesterday"})
    code, out, err = groundup_main("runs", "--runs", str(run.parent))
    assert (code, err) == (0, "")
    assert "first" in out


def test_a_full_disk_is_told_and_leaves_no_run(groundup_main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_words: object) -> None:
        raise OSError(28, "No space left on device")

    Path("good.csv").write_text(GOOD)
    monkeypatch.setattr("groundup.core.files.os.fsync", full)
    assert "the disk is full" in refused(groundup_main("train", "good.csv", "-t", "y", "--progress", "quiet"))


def test_a_class_that_folds_lack_is_no_crash(groundup_main: Main) -> None:
    Path("rare.csv").write_text(GOOD.replace("down", "up").replace("up", "down", 1))
    words = ("-m", "logistic", "--progress", "quiet", "--set", "problem.metric=roc_auc")
    code, out, err = groundup_main("train", "rare.csv", "-t", "y", *words)
    assert (code, err) == (0, "")
    assert (Path(out.strip()) / "report.html").is_file()


@pytest.mark.parametrize(
    "arguments",
    [
        (None, "y"),
        (5, "y"),
        ([], "y"),
        ({"a": 1, "y": 2}, "y"),
        ([{"a": 1}], "y"),
        (pl.DataFrame(), "y"),
        ("nowhere.csv", 5),
        (b"nowhere.csv", "y"),
    ],
)
def test_what_python_passes_that_is_no_table(arguments: tuple[object, str]) -> None:
    with pytest.raises(GroundupError):
        groundup.train(*arguments)
    assert not Path("runs").is_dir() or not list(Path("runs").iterdir())


def test_a_model_that_python_names_by_a_number() -> None:
    with pytest.raises(GroundupError, match="a learner's name"):
        groundup.train("good.csv", "y", model=5)  # type: ignore[arg-type]


@pytest.fixture
def dirty(shared_data: Callable[[str], Path], tmp_path: Path) -> Path:
    with zipfile.ZipFile(shared_data("dirty-csv") / "dirty.zip") as archive:
        archive.extractall(tmp_path / "dirty")
    return tmp_path / "dirty"


def test_no_real_file_is_called_a_mistake_of_ours(groundup_main: Main, dirty: Path) -> None:
    paths = sorted(path for path in dirty.rglob("*") if path.is_file())
    for path in paths:
        refused(groundup_main("check", str(path), "--json"))  # no target is named
    path = next(path for path in paths if path.name == "issue-1341.csv")  # folds of it lack a class
    code, _, err = groundup_main("check", str(path), "-t", "c2016", "--json")
    assert (code, err) == (0, "")
