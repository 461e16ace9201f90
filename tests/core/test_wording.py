"""Numbers and values read well in any message."""

from hypothesis import given
from hypothesis import strategies as st

from groundup.core.wording import count, listed, percent, shown


@given(st.integers(0, 10**12))
def test_counts_keep_their_digits(n):
    assert int(count(n).replace(" ", "")) == n


@given(st.floats(0, 1))
def test_only_nothing_and_everything_read_as_such(share):
    text = percent(share)
    assert text.endswith(" %")
    assert (text == "0 %") == (share == 0)
    assert (text == "100 %") == (share == 1)


@given(st.one_of(st.none(), st.text(max_size=200), st.integers(), st.floats(), st.booleans()))
def test_any_value_is_shown_short(value):
    assert len(shown(value)) < 350
    assert listed([value] * 3, limit=1).endswith("and 2 more")
