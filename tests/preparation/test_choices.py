import pytest

from groundup.core.errors import RecipeError
from groundup.core.inputs import Needs
from groundup.core.schema import Column, Schema
from groundup.preparation.choices import check_columns, choose, own_options, resolve
from groundup.preparation.options import ColumnPreparation, PreparationOptions
from groundup.preparation.plan import Choice, Dropped

LINEAR, TREES = Needs(scaled=True), Needs(categories="codes", missing=True)
COLUMNS = {
    "number": Column("x", "number", "float"),
    "category": Column("x", "category", "string"),
    "coded": Column("x", "category", "integer"),
    "datetime": Column("x", "datetime", "datetime"),
    "boolean": Column("x", "boolean", "boolean"),
    "text": Column("x", "text", "string"),
}


def choice(kind: str, needs: Needs, options: PreparationOptions | None = None, **own: object) -> Choice:
    options = options or PreparationOptions(columns={"x": ColumnPreparation(**own)} if own else {})  # type: ignore[arg-type]
    chosen = choose(COLUMNS[kind], options, resolve(options, needs), needs)
    assert isinstance(chosen, Choice)
    return chosen


def test_linear_models_get_filled_scaled_one_hot_columns() -> None:
    number = choice("number", LINEAR)
    assert (number.impute, number.scale, number.indicator) == ("median", "standard", True)
    category = choice("category", LINEAR)
    assert (category.encode, category.impute) == ("one_hot", "constant")
    assert choice("datetime", LINEAR).has_cycles
    assert choice("boolean", LINEAR).impute == "most_frequent"
    assert choice("text", LINEAR).buckets == 256


def test_trees_keep_missing_values_and_native_categories() -> None:
    number = choice("number", TREES)
    assert (number.impute, number.scale, number.indicator) == ("none", "none", False)
    category = choice("category", TREES)
    assert (category.encode, category.impute) == ("codes", "none")
    assert not choice("datetime", TREES).has_cycles
    assert choice("boolean", TREES).impute == "none"


@pytest.mark.parametrize("needs", [LINEAR, TREES, Needs(), Needs(missing=True)])
@pytest.mark.parametrize("kind", COLUMNS)
def test_resolving_again_changes_nothing(kind: str, needs: Needs) -> None:
    options = PreparationOptions()
    general = resolve(options, needs)
    assert resolve(general, needs) == general
    first = choice(kind, needs)
    assert "auto" not in (first.impute, first.scale, first.encode)
    resolved = general.model_copy(update={"columns": {"x": own_options(first)}})
    assert choice(kind, needs, resolved) == first


def test_a_columns_own_options_win() -> None:
    number = choice("number", LINEAR, impute="mean", scale="robust", indicator=False)
    assert (number.impute, number.scale, number.indicator) == ("mean", "robust", False)
    assert choice("number", LINEAR, encode="one_hot").plan == "category"
    assert choice("category", TREES, encode="one_hot").impute == "constant"
    assert choice("category", LINEAR, encode="ordinal").scale == "standard"
    assert choice("text", LINEAR, encode="one_hot").plan == "category"
    assert choice("number", TREES, impute="mean").indicator


def test_drop_rows_needs_no_indicator() -> None:
    options = PreparationOptions(impute_numbers="drop_rows", impute_categories="drop_rows", indicator=True)
    for kind in ("number", "category", "boolean", "datetime"):
        chosen = choice(kind, LINEAR, options)
        assert (chosen.impute, chosen.indicator) == ("drop_rows", False)


@pytest.mark.parametrize(
    ("kind", "own", "message"),
    [
        ("category", {"impute": "mean"}, "is for numbers and dates"),
        ("category", {"indicator": True}, "means nothing for a category column"),
        ("category", {"scale": "standard", "encode": "one_hot"}, "is for `encode: ordinal`"),
        ("category", {"encode": "codes"}, "Choose `one_hot` or `ordinal`"),
        ("boolean", {"scale": "standard"}, "means nothing for a boolean column"),
        ("text", {"impute": "median"}, "`drop` and `encode`"),
        ("datetime", {"encode": "one_hot"}, "means nothing for a date column"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(kind: str, own: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        choice(kind, LINEAR, **own)


def test_identifiers_and_constants_are_left_out_unless_asked_for() -> None:
    identifier = Column("x", "identifier", "integer")
    plain = PreparationOptions()
    assert isinstance(choose(identifier, plain, plain, LINEAR), Dropped)
    assert isinstance(choose(Column("x", "constant", "float"), plain, plain, LINEAR), Dropped)
    asked = PreparationOptions(columns={"x": ColumnPreparation(impute="median")})
    kept = choose(identifier, asked, resolve(asked, LINEAR), LINEAR)
    assert isinstance(kept, Choice)
    assert kept.plan == "number"
    coded = choose(
        Column("x", "identifier", "string"),
        asked.model_copy(update={"columns": {"x": ColumnPreparation(encode="one_hot")}}),
        plain,
        LINEAR,
    )
    assert isinstance(coded, Choice)
    assert coded.plan == "category"
    dropped = PreparationOptions(columns={"x": ColumnPreparation(drop=True)})
    assert choose(COLUMNS["number"], dropped, dropped, LINEAR) == Dropped("the recipe drops it")


def test_a_column_that_does_not_exist_is_named() -> None:
    options = PreparationOptions(columns={"agee": ColumnPreparation(scale="none")})
    with pytest.raises(RecipeError, match="Did you mean `age`"):
        check_columns(options, Schema([Column("age", "number", "float")]))
    check_columns(PreparationOptions(columns={"gone": ColumnPreparation(drop=True)}), Schema([]))
