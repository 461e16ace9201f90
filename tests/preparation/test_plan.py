from groundup.preparation.plan import Seen, missing_step, plain


def test_shares_are_rounded_for_people() -> None:
    assert Seen(1000, 200).share == "20 %"
    assert Seen(10_000, 3).share == "less than 1 %"


def test_the_missing_step_tells_what_was_seen() -> None:
    assert missing_step(Seen(10, 2), "the median, 3") == "missing values (20 %) are filled with the median, 3"
    assert "a missing one is filled" in missing_step(Seen(10, 0), "the median, 3")
    assert "are kept" in missing_step(Seen(10, 2), None)
    assert "passed on as missing" in missing_step(Seen(10, 0), None)


def test_numbers_are_short() -> None:
    assert [plain(1e6), plain(1 / 3)] == ["1e+06", "0.333333"]
