import pytest

from groundup.core.errors import PackageError, PredictionInputError
from groundup.core.schema import Column
from groundup.preparation.numbers import NumberPlan
from groundup.preparation.plan import Seen
from groundup.preparation.row import PLANS, VERSION, compile_row, plans_from_state, row_encoder
from groundup.preparation.scaling import Scaling

AGE = NumberPlan(
    Column("age", "number", "float"), Seen(10, 2), "median", 30.0, True, Scaling("minmax", 20.0, 10.0)
)
STATE = {
    "version": VERSION,
    "columns": [
        {
            "column": {
                "name": "age",
                "kind": "number",
                "storage": "float",
                "format": None,
                "missing": [],
                "reason": "",
            },
            "plan": "number",
            "fitted": AGE.state(),
        }
    ],
}


def test_plans_come_back_from_a_state() -> None:
    assert plans_from_state(STATE) == [AGE]
    assert row_encoder(STATE)({"age": None, "more": 1}) == [1.0, 1.0]
    assert set(PLANS) == {"number", "category", "date", "boolean", "text", "target_category", "tfidf"}


def test_an_unknown_plan_is_damage() -> None:
    columns = [{**STATE["columns"][0], "plan": "os:system"}]  # type: ignore[dict-item]
    with pytest.raises(PackageError, match="damaged"):
        plans_from_state({**STATE, "columns": columns})


def test_rows_do_not_share_memory() -> None:
    encode = compile_row([AGE])
    first = encode({"age": 30})
    first[0] = 99.0
    assert encode({"age": 30}) == [1.0, 0.0]


def test_an_absent_column_is_named() -> None:
    with pytest.raises(PredictionInputError, match=r"no column `age`.* Did you mean `Age`"):
        compile_row([AGE])({"Age": 1.0})
