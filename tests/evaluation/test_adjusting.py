"""Adjusted p-values are Holm's."""

from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.evaluation.adjusting import holm


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), min_size=1, max_size=6))
def test_holm_lies_between_the_plain_values_and_bonferroni(p_values: dict[str, float]) -> None:
    adjusted = holm(p_values)
    assert list(adjusted) == list(p_values)
    for name, p_value in p_values.items():
        assert p_value <= adjusted[name] <= 1
        assert adjusted[name] <= min(1.0, len(p_values) * max(p_values.values()))
    ranked = sorted(p_values, key=lambda name: p_values[name])
    assert [adjusted[name] for name in ranked] == sorted(adjusted.values())
