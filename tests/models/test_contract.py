from groundup.models.contract import FACTS, Choice, Range, RoundsResult


def test_facts_are_explained() -> None:
    assert all(key.isidentifier() and explanation for key, explanation in FACTS.items())


def test_values_are_plain_and_frozen() -> None:
    assert Range(1, 2) == Range(1, 2, log=False, integer=False)
    assert Choice((1, 2)).values == (1, 2)
    assert RoundsResult(1, 2, {"train": [(1, 0.5)]}, "limit").curve["train"] == [(1, 0.5)]
