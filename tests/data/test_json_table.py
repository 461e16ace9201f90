"""JSON documents and JSON Lines: rows, nested objects, and errors with line and column."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import DataError
from groundup.data import json_table, text
from groundup.data.dataset import Dataset
from groundup.data.options import DataOptions
from groundup.data.sources import read


def read_json(folder: Path, content: str, name: str = "x.json", **options: Any) -> Dataset:
    (folder / name).write_text(content, encoding="utf-8")
    return read(DataOptions(source=str(folder / name), **options))


@pytest.mark.parametrize(
    "content",
    [
        '[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]',
        '{"a": [1, 2], "b": ["x", "y"]}',
        '{"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": "y"}}',
        '{"count": 2, "data": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}',
        '{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n',
        '{"a": 1, "b": "x"}\r\n\r\n{"a": 2, "b": "y"}',
        '\ufeff[{"a": 1, "b": "x"},\n {"b": "y", "a": 2}]\n',
    ],
)
def test_every_shape_is_the_same_table(tmp_path: Path, content: str) -> None:
    dataset = read_json(tmp_path, content)
    assert dataset.frame().to_dict(as_series=False) == {"a": [1, 2], "b": ["x", "y"]}


def test_objects_are_flattened_and_lists_kept_as_text(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "at": {"city": "Bonn", "geo": {"lat": 50.7}}, "tags": ["a", "b"]},
        {"id": 2, "tags": []},
    ]
    dataset = read_json(tmp_path, json.dumps(rows))
    assert dataset.frame().to_dicts() == [
        {"id": 1, "at.city": "Bonn", "at.geo.lat": 50.7, "tags": '["a", "b"]'},
        {"id": 2, "at.city": None, "at.geo.lat": None, "tags": None},
    ]
    assert ("lists", "kept as text: `tags`") in dataset.facts


def test_mixed_types_are_read_like_text_in_a_csv(tmp_path: Path) -> None:
    rows = [{"x": value} for value in [*range(20), "17.5", "n/a", None, "oops"]]
    dataset = read_json(tmp_path, json.dumps(rows))
    assert dataset.schema["x"].kind == "number"
    assert dataset.frame()["x"].to_list() == [*map(float, range(20)), 17.5, None, None, None]
    assert [finding.code for finding in dataset.findings] == ["D008"]


def test_types_that_change_between_blocks_are_judged_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_table, "_N_ROWS_A_FRAME", 2)
    lines = ['{"a": 1}', '{"a": 2, "b": 1.5}', '{"a": "3"}', '{"a": null, "c": true}', '{"a": 2.5, "b": 2}']
    frame = read_json(tmp_path, "\n".join(lines), "x.jsonl").frame()
    assert frame.to_dict(as_series=False) == {
        "a": [1.0, 2.0, 3.0, None, 2.5],
        "b": [None, 1.5, None, None, 2.0],
        "c": [None, None, None, True, None],
    }


values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.sampled_from(["a", 'Köln "x"', "]}"])


@settings(deadline=None, max_examples=30)
@given(
    rows=st.lists(
        st.fixed_dictionaries({"k": st.integers(0, 9)}, optional={"v": values}), min_size=1, max_size=8
    ),
    size=st.integers(1, 40),
    is_list=st.booleans(),
)
def test_rows_are_the_same_wherever_blocks_are_cut(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], size: int, is_list: bool
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    content = json.dumps(rows, indent=1) if is_list else "\n".join(map(json.dumps, rows))
    whole = read_json(folder, content, "x.json" if is_list else "x.jsonl")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "BLOCK_BYTES", size)
        cut = read_json(folder, content, "x.json" if is_list else "x.jsonl")
    assert cut.n_rows == len(rows)
    assert cut.frame().equals(whole.frame())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.json", '[{"a": 1},\n {"a": ', "line 2, column 8: the file ends in the middle of a value"),
        ("x.json", '[{"a": 1},\n {"a": "x', "line 2, column 8: the file ends in the middle of a value"),
        ("x.json", '[{"a": 1}', "line 1, column 10: the file ends inside its list"),
        ("x.json", '[{"a": 1}, {"a": oops}]' + " " * 99, r"line 1, column 18: this is no JSON .* `oops\}\]"),
        ("x.json", '[{"a": 1} {"a": 2}]', r"column 11: `\{` stands where `,` or `\]` should"),
        ("x.json", '[{"a": 1}] x', "`x` stands where the end of the file should"),
        ("x.jsonl", '{"a": 1}\n{"a": }\n' + '{"a": 2}\n' * 20, "line 2, column 7: this is no JSON"),
        ("x.jsonl", '{"a": 1}\n[2]\n', r"line 2, column 4: before this stands `\[2\]`"),
        ("x.json", "[1, 2, 3]", "before this stands `1`, which is no object"),
        ("x.json", "[]", "holds no objects"),
        ("x.json", "{}", "holds no objects"),
        ("x.json", "  \n ", "holds nothing but blanks"),
        ("x.json", "17", "holds a single value, `17`"),
        ("x.json", '{"a": [1, 2], "b": [1]}', "`a` has 2 values and `b` 1"),
        ("x.json", '{"u7": {"age": 3}, "u8": {"age": 4}}', "an object of objects"),
        ("x.json", "[" + '{"a":' * 30 + "1" + "}" * 30 + "]", "nested more than 20 levels"),
        ("x.json", '[{"a": ' + "[" * 100_000 + "]" * 100_000 + "}]", "nested too deeply"),
        ("x.json", '[{"a": ' + "9" * 5000 + "}]", "Exceeds the limit"),
        ("x.json", '[{"a.b": 1, "a": {"b": 2}}]', "two values called `a.b`"),
    ],
)
def test_what_is_no_table_is_an_error_with_its_place(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_json(tmp_path, content, name)
    assert name in str(caught.value)


def test_a_value_without_end_is_refused_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(json_table, "_MAX_RECORD_CHARACTERS", 5000)
    monkeypatch.setattr(json_table, "_MAX_DOCUMENT_CHARACTERS", 5000)
    with pytest.raises(DataError, match="line 1, column 2: the value that starts here does not end"):
        read_json(tmp_path, '[{"a": "' + "x" * 50_000)
    with pytest.raises(DataError, match="too large to be read as a whole"):
        read_json(tmp_path, '{"a": [' + "1, " * 50_000 + "1]}")


def test_keys_that_are_values_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="more than 10000 different keys"):
        read_json(tmp_path, json.dumps([{f"id{index}": 1} for index in range(10_001)]))
