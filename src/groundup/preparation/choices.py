"""From options and a learner's needs to one decided choice per column: the only place `auto` is read."""

from __future__ import annotations

from typing import Any, Final

from groundup.core.errors import RecipeError, did_you_mean
from groundup.core.inputs import Needs
from groundup.core.schema import Column, Schema
from groundup.preparation.numbers import BY_COLUMNS
from groundup.preparation.options import ColumnPreparation, PreparationOptions
from groundup.preparation.plan import Choice, Dropped, PlanKind

ALLOWED: Final[dict[PlanKind, tuple[str, ...]]] = {
    "number": ("impute", "fill_value", "indicator", "scale", "outliers"),
    "date": ("impute", "fill_value", "indicator", "scale"),
    "boolean": ("impute", "fill_value", "indicator"),
    "category": ("impute", "fill_value", "scale", "encode"),
    "target_category": ("impute", "fill_value", "scale", "encode"),
    "text": ("text",),
    "tfidf": ("text",),
}
"""The options of one column that mean something, by what it becomes."""

AS_ONE_NUMBER: Final = ("ordinal", "frequency", "target")
"""Encodings that make one number of a category, which can then be scaled."""

CATEGORY_IMPUTES: Final = ("auto", "most_frequent", "constant", "none", "drop_rows")

DROPPED_KINDS: Final = {
    "identifier": "it names rows, so what it says cannot hold for new ones",
    "constant": "it has one value or none",
    "image": "it holds pictures, which learners for tables do not see",
}


_NOTHING: Final = ColumnPreparation()


def resolve(options: PreparationOptions, needs: Needs) -> PreparationOptions:
    """Return the options with every general `auto` replaced by what the learner needs.

    Parameters
    ----------
    options : PreparationOptions
        As asked for.
    needs : Needs
        What the learner declares.

    Returns
    -------
    PreparationOptions
        Resolving them again changes nothing.

    Examples
    --------
    >>> resolve(PreparationOptions(), Needs(scaled=True)).scale
    'standard'
    """
    encode = _or(options.encode, needs.categories)
    impute_numbers = _or(options.impute_numbers, "none" if needs.missing else "median")
    return options.model_copy(
        update={
            "impute_numbers": impute_numbers,
            "impute_categories": _or(options.impute_categories, _category_impute(encode, needs)),
            "indicator": _or(options.indicator, not (impute_numbers == "none" and needs.missing)),
            "scale": _or(options.scale, "standard" if needs.scaled else "none"),
            "encode": encode,
            "dates": _or(options.dates, "parts_and_cycles" if needs.scaled else "parts"),
        }
    )


def needs_of_plans(options: PreparationOptions, needs: Needs) -> Needs:
    """Return what the column plans must make: what the learner needs, or what a reduction of them needs.

    Examples
    --------
    >>> needs_of_plans(PreparationOptions(reduce="pca"), Needs(categories="codes", missing=True))
    Needs(scaled=True, categories='one_hot', missing=False, form='matrix')
    """
    return needs if options.reduce == "none" or needs.form != "matrix" else Needs(scaled=True)


def without_stages(options: PreparationOptions) -> PreparationOptions:
    """Return the options without what acts on all columns together, for a learner that looks at none.

    Examples
    --------
    >>> without_stages(PreparationOptions(impute_numbers="knn", reduce="pca")) == PreparationOptions()
    True
    """
    columns = {
        name: own.model_copy(update={"impute": None}) if own.impute in BY_COLUMNS else own
        for name, own in options.columns.items()
    }
    impute = "auto" if options.impute_numbers in BY_COLUMNS else options.impute_numbers
    return options.model_copy(
        update={"impute_numbers": impute, "select": "none", "reduce": "none", "columns": columns}
    )


def check_columns(options: PreparationOptions, schema: Schema) -> None:
    """Raise `RecipeError` if `preparation.columns` says how to prepare a column that does not exist."""
    for name, own in options.columns.items():
        if name not in schema and not own.drop:
            raise RecipeError(
                f"`preparation.columns` names no column `{name}`.{did_you_mean(name, schema.names)}"
            )


def choose(
    column: Column, options: PreparationOptions, general: PreparationOptions, needs: Needs
) -> Choice | Dropped:
    """Return what is done to one column, or why it is left out.

    Parameters
    ----------
    column : Column
        The raw column.
    options : PreparationOptions
        As asked for.
    general : PreparationOptions
        What `resolve` made of them.
    needs : Needs
        What the learner declares.

    Returns
    -------
    Choice or Dropped

    Raises
    ------
    RecipeError
        If an option of the column cannot be meant for such a column or such a learner.
    """
    own = options.columns.get(column.name, _NOTHING)
    if own.drop:
        return Dropped("the recipe drops it")
    asked = {} if own is _NOTHING else own.model_dump(exclude_none=True, exclude={"drop"})
    if column.kind in DROPPED_KINDS and not asked:
        return Dropped(DROPPED_KINDS[column.kind])
    plan = _plan_kind(column, own)
    _check_own(column, plan, asked)
    choice: dict[str, Any] = {"plan": plan, "keeps_missing": needs.missing, "fill_value": own.fill_value}
    if plan == "number":
        choice |= _outlier_choice(own, options)
    if plan in ("number", "date"):
        choice |= _number_choice(own, options, general, needs, is_date=plan == "date")
        choice["has_cycles"] = general.dates == "parts_and_cycles"
    elif plan == "boolean":
        choice |= _boolean_choice(own, options, general, needs)
    elif plan == "category":
        choice |= _category_choice(column, own, options, general, needs)
    else:
        text = own.text or options.text
        choice |= {"plan": "tfidf"} if text == "tfidf" else {}
        choice |= {"text": text, "text_words": options.text_words, "text_features": options.text_features}
        choice["buckets"] = options.text_buckets
    return Choice(**choice)


def own_options(choice: Choice) -> ColumnPreparation:
    """Return a decided choice as the column's own options, which lead to the same choice again."""
    values = {name: getattr(choice, name) for name in ALLOWED[choice.plan]}
    if choice.plan == "category" and choice.encode not in AS_ONE_NUMBER:
        values["scale"] = None
    return ColumnPreparation(**values)


def _plan_kind(column: Column, own: ColumnPreparation) -> PlanKind:
    if column.storage == "boolean":
        return "boolean"
    if column.storage == "datetime":
        return "date"
    if own.encode is not None:
        return "category"
    if column.kind == "text" or (own.text is not None and column.storage == "string"):
        return "text"
    if column.kind in ("number", "identifier", "constant") and column.storage != "string":
        return "number"
    return "category"


def _check_own(column: Column, plan: PlanKind, asked: dict[str, Any]) -> None:
    where = f"`preparation.columns.{column.name}`"
    for name in asked:
        if name not in ALLOWED[plan]:
            allowed = ", ".join(f"`{each}`" for each in ALLOWED[plan])
            allowed += ", besides `drop` and `encode`" if plan == "text" else ""
            raise RecipeError(f"{where}: `{name}` means nothing for a {plan} column. It takes {allowed}.")
    impute = asked.get("impute", "auto")
    if plan == "date" and impute in BY_COLUMNS:
        raise RecipeError(
            f"{where}: `impute: {impute}` is for numbers: a date's parts, filled one by one, would make no "
            "date. Choose `median`, `most_frequent` or `drop_rows`."
        )
    if plan in ("boolean", "category") and impute not in CATEGORY_IMPUTES:
        raise RecipeError(
            f"{where}: `impute: {impute}` is for numbers{'' if impute in BY_COLUMNS else ' and dates'}. "
            f"A {plan} column takes {', '.join(f'`{each}`' for each in CATEGORY_IMPUTES)}."
        )


def _number_choice(
    own: ColumnPreparation,
    options: PreparationOptions,
    general: PreparationOptions,
    needs: Needs,
    *,
    is_date: bool,
) -> dict[str, Any]:
    asked = own.impute or general.impute_numbers
    if is_date and asked in BY_COLUMNS:
        asked = "auto"
    impute = _or(asked, "none" if needs.missing else "median")
    return {
        "impute": impute,
        "indicator": _indicator(own, options, impute, needs),
        "scale": _or(own.scale or "auto", general.scale),
    }


def _outlier_choice(own: ColumnPreparation, options: PreparationOptions) -> dict[str, Any]:
    is_iqr = options.outlier_rule == "iqr"
    return {
        "outliers": own.outliers or options.outliers,
        "outlier_rule": options.outlier_rule,
        "outlier_reach": options.outlier_ranges if is_iqr else options.outlier_share,
    }


def _boolean_choice(
    own: ColumnPreparation, options: PreparationOptions, general: PreparationOptions, needs: Needs
) -> dict[str, Any]:
    kept = "none" if needs.missing else "most_frequent"
    impute: str = own.impute or options.impute_categories
    # A level of its own is, for a boolean, the more frequent value and a column "was missing".
    if own.impute is None and general.impute_categories in ("constant", "none"):
        impute = kept
    impute = _or(impute, kept)
    return {"impute": impute, "indicator": _indicator(own, options, impute, needs)}


def _category_choice(
    column: Column,
    own: ColumnPreparation,
    options: PreparationOptions,
    general: PreparationOptions,
    needs: Needs,
) -> dict[str, Any]:
    encode = _or(own.encode or "auto", general.encode)
    if encode == "codes" and needs.categories != "codes":
        why = "are for learners that split on categories, which this one does not"
        if options.reduce != "none":
            why = f"cannot be reduced by `{options.reduce}`: they are names, not numbers"
        raise RecipeError(f"`codes` for `{column.name}` {why}. Choose `one_hot` or `ordinal`.")
    impute = own.impute or options.impute_categories
    if encode != general.encode and own.impute is None:
        impute = "auto"
    scale = _or(own.scale or "auto", general.scale)
    if own.scale not in (None, "auto", "none") and encode not in AS_ONE_NUMBER:
        allowed = " and ".join(f"`encode: {each}`" for each in AS_ONE_NUMBER)
        raise RecipeError(f"`preparation.columns.{column.name}.scale` is for {allowed}, not for `{encode}`.")
    return {
        "impute": _or(impute, _category_impute(encode, needs)),
        "encode": encode,
        "scale": scale if encode in AS_ONE_NUMBER else "none",
        "plan": "target_category" if encode == "target" else "category",
        "target_smoothing": options.target_smoothing,
        "target_parts": options.target_parts,
        "rare_below": options.rare_below,
        "max_levels": options.max_levels,
    }


def _category_impute(encode: str, needs: Needs) -> str:
    return "none" if needs.missing and encode in ("ordinal", "codes") else "constant"


def _indicator(own: ColumnPreparation, options: PreparationOptions, impute: str, needs: Needs) -> bool:
    asked = options.indicator if own.indicator is None else own.indicator
    is_kept = impute == "none" and needs.missing
    return impute != "drop_rows" and bool(_or(asked, not is_kept))


def _or(value: Any, otherwise: Any) -> Any:
    return otherwise if value == "auto" else value
