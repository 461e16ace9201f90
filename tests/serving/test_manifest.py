"""The manifest is the same document after a trip through JSON."""

import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.core.errors import PackageError
from groundup.core.schema import Column, Schema
from groundup.serving.manifest import Manifest

LABELS = st.lists(
    st.text() | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
)


def manifest() -> Manifest:
    return Manifest(
        task="classification",
        target="y",
        classes=("no", "yes"),
        positive="yes",
        schema=Schema([Column("age", "number", "integer", missing=("?", "-"))]),
        learner="ridge",
        fitted="groundup.models.linear_fitted:FittedLinear",
        deployment={"missing_columns": "error"},
        digests={"weights/b": "0" * 64, "preparation.json": "1" * 64},
    )


@given(LABELS, st.text(), st.dictionaries(st.text(), st.text(), max_size=3))
@settings(deadline=None, max_examples=50)
def test_it_comes_back_from_json(classes: list[str], target: str, card: dict[str, str]) -> None:
    before = dataclasses.replace(manifest(), classes=tuple(classes), target=target, card=card)
    after = Manifest.from_json(json.loads(json.dumps(before.to_json())))
    assert after == before
    assert after.digest == before.digest


def test_the_digest_is_of_the_model_alone() -> None:
    one = manifest()
    assert (
        one.digest
        == dataclasses.replace(one, card={"a": 1}, created_with="2.0", versions={"numpy": "9"}).digest
    )
    assert one.digest == dataclasses.replace(one, digests=dict(reversed(one.digests.items()))).digest
    for change in ({"learner": "lasso"}, {"digests": {}}, {"deployment": {}}, {"schema": Schema([])}):
        assert one.digest != dataclasses.replace(one, **change).digest  # type: ignore[arg-type]


def test_outputs_are_described() -> None:
    names = [output["name"] for output in manifest().to_json()["outputs"]]
    assert names == ["y", "no", "yes"]
    number = dataclasses.replace(manifest(), task="regression", classes=())
    assert number.to_json()["outputs"] == [{"name": "y", "type": "float"}]


@pytest.mark.parametrize("document", [None, [], {}, {"format": "groundup-package"}])
def test_what_is_no_manifest_is_refused(document: object) -> None:
    with pytest.raises(PackageError, match="manifest"):
        Manifest.from_json(document)
