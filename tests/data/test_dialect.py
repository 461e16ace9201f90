"""Delimiter, quotes, header and the lines above a table."""

import pytest

from groundup.data.dialect import Dialect, find_dialect


def found(
    head: str, *, delimiter: str = "auto", header: bool | str = "auto", suffix: str = ".csv"
) -> Dialect:
    return find_dialect(head, is_whole=True, suffix=suffix, delimiter=delimiter, header=header)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ":", " "])
def test_every_delimiter_is_found(delimiter: str) -> None:
    rows = [
        ["name", "height", "city"],
        ["Ada", "1.7", "London"],
        ["Alan", "1.8", "Leeds"],
        ["Emmy", "1.6", "Ulm"],
    ]
    dialect = found("\n".join(delimiter.join(row) for row in rows) + "\n")
    assert dialect.delimiter == delimiter
    assert dialect.names == ("name", "height", "city")


@pytest.mark.parametrize(
    ("head", "delimiter"),
    [
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
        ("date;x\n2020-01-01 10:00:00;1\n2020-01-01 11:00:00;2\n2020-01-01 12:00:00;3\n", ";"),
        ("name,when\nA,10:30\nB,11:30\nC,12:30\n", ","),
        ('a,b\n"x;y;z",1\n"p;q;r",2\n', ","),
        ("text\tlabel\nhello, you, there\t1\nnice, is, it\t0\n", "\t"),
    ],
)
def test_decimal_commas_and_times_do_not_mislead(head: str, delimiter: str) -> None:
    assert found(head).delimiter == delimiter


@pytest.mark.parametrize(
    ("head", "names"),
    [
        ("a,b\n1,2\n", ("a", "b")),
        ("1,2\n3,4\n", None),
        ("1,english\n2,german\n", None),
        ("ham,hello\nspam,buy this\nham,bye\nspam,now\n", None),
        ("year,2019,2020,2021\nx,1,2,3\ny,4,5,6\n", ("year", "2019", "2020", "2021")),
        ("0,1,2,3\n5,6,7,8\n9,9,9,9\n", ("0", "1", "2", "3")),
        (",0\n1821,269\n1822,321\n", ("", "0")),
        ("name\nAda\nAlan\n", ("name",)),
        ("foo\nfoo\nfoo\n", None),
        ("a,b,c\nx,1,2,3\ny,4,5,6\n", ("", "a", "b", "c")),
    ],
)
def test_names_are_told_from_data(head: str, names: tuple[str, ...] | None) -> None:
    assert found(head).names == names


def test_the_user_knows_better() -> None:
    assert found("a,b\n1,2\n", header=False).names is None
    assert found("1,2\n3,4\n", header=True).names == ("1", "2")
    assert found("a;b\n1;2\n", delimiter=",").n_columns == 1


def test_lines_above_the_table_are_skipped() -> None:
    head = "# made by me\nSales 2020,,\n,,\nmonth,sum,n\nMay,3,1\nJune,4,2\nJuly,4,2\n"
    dialect = found(head)
    assert dialect.names == ("month", "sum", "n")
    assert dialect.preamble == ("# made by me", "Sales 2020")
    assert dialect.n_lines_before == 4


def test_single_quotes_and_escapes_are_found() -> None:
    assert found("a,b\n1,'x, y'\n2,'it''s'\n").quote == "'"
    assert found("a,b\n1,it's\n2,that's\n").quote == '"'
    assert found('a,b\n1,"say \\"hi\\", you"\n2,"x"\n').escape == "\\"
    assert found('a,b\n1,"C:\\"\n2,"D:\\"\n').escape is None
    assert found('"a", "b"\n"1", "x"\n').skip_space
    assert not found('a,b\n"he said, ""hi, "" x",1\n"y",2\n').skip_space


def test_quotes_in_prose_are_characters() -> None:
    head = 'ham\tHe said "no".\nspam\t"Free" entry now\nham\t"Well, then\nspam\tbuy" it\n'
    assert found(head, suffix=".tsv").quote is None


def test_prose_is_one_column() -> None:
    dialect = found(
        "Shall I compare thee, love,\nto a summer day? Thou art\nmore lovely, and more, yes, temperate.\n"
    )
    assert dialect.n_columns == 1
