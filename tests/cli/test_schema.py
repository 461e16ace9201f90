"""`groundup schema`: JSON that an editor can load."""

import json
from collections.abc import Callable

Main = Callable[..., tuple[int, str, str]]


def test_it_is_the_schema_of_the_recipe(groundup_main: Main) -> None:
    code, out, err = groundup_main("schema")
    assert (code, err) == (0, "")
    assert {"problem", "data", "model"} <= set(json.loads(out)["properties"])
