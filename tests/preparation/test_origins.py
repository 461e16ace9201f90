"""Inputs are gathered by the column they come from; what comes from several stands for itself."""

import numpy as np
import polars as pl

from groundup.core.inputs import Needs
from groundup.core.schema import Column, Schema
from groundup.data.dataset import Dataset
from groundup.preparation.options import PreparationOptions
from groundup.preparation.origins import Origins
from groundup.preparation.table import TablePreparation


def test_one_hot_inputs_of_a_column_are_one() -> None:
    frame = pl.DataFrame({"city": ["Bonn", "Rome", "Oslo", None] * 5, "age": list(range(20))})
    schema = Schema([Column("city", "category", "string"), Column("age", "number", "integer")])
    preparation = TablePreparation(PreparationOptions())
    preparation.fit_transform(Dataset(frame.lazy(), schema, 20, "frame"), Needs(categories="one_hot"))
    assert len(preparation.feature_sources) == len(preparation.feature_names)
    origins = Origins.of(preparation.feature_sources, preparation.feature_names)
    assert origins.names == ("city", "age")
    values = np.arange(2.0 * len(preparation.feature_names)).reshape(2, -1, 1)
    sums = origins.sums(values)
    for name, place in preparation.encoded_features.items():
        np.testing.assert_allclose(sums[:, origins.names.index(name)], values[:, place].sum(axis=1))


def test_principal_components_stand_for_themselves() -> None:
    frame = pl.DataFrame({name: np.random.default_rng(n).normal(size=40) for n, name in enumerate("abc")})
    schema = Schema([Column(name, "number", "float") for name in "abc"])
    preparation = TablePreparation(PreparationOptions(reduce="pca"))
    preparation.fit_transform(Dataset(frame.lazy(), schema, 40, "frame"), Needs(scaled=True))
    origins = Origins.of(preparation.feature_sources, preparation.feature_names)
    assert origins.names == preparation.feature_names
    assert not set(origins.names) & {"a", "b", "c"}


def test_inputs_of_several_columns_or_of_none_stand_for_themselves() -> None:
    sources = [("a", "b"), ("a",), (), ("a", "b"), ("a",)]
    origins = Origins.of(sources, ["pca 1", "a scaled", "noise", "pca 2", "a missing"])
    assert origins.names == ("pca 1", "a", "noise", "pca 2")
    sums = origins.sums(np.arange(5.0).reshape(1, 5, 1))
    assert sums[0, :, 0].tolist() == [0, 1 + 4, 2, 3]


def test_without_inputs_there_is_nothing_to_add() -> None:
    assert Origins.of([], []).sums(np.zeros((3, 0, 1))).shape == (3, 0, 1)
