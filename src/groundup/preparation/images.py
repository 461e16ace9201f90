"""The preparation of pictures for networks: the pixels of a row as one array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import isqrt, prod
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from groundup.core.errors import PredictionInputError, RecipeError, did_you_mean
from groundup.core.inputs import Form, Inputs
from groundup.core.schema import Column
from groundup.core.wording import count, listed, number
from groundup.data.values import row_reader

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from groundup.core.inputs import Needs, Supervision
    from groundup.data.dataset import Dataset
    from groundup.preparation.options import PreparationOptions

VERSION: Final = 1
_PIXEL_STORAGES: Final = ("integer", "float", "boolean")
_BLOCK_ROWS: Final = 4096


class ImagePreparation:
    """Turns the columns of a row, which are pixels, into a picture.

    Parameters
    ----------
    options : PreparationOptions
        What is asked for, in its section ``images``.

    Attributes
    ----------
    columns : tuple of str
        The raw columns that are read, in order.
    shape : tuple of int
        Height, width and channels.
    fill : float
        The mean of all pixels of the training rows, which stands for a missing one.
    """

    form: Form = "images"

    shape: tuple[int, int, int]
    fill: float

    def __init__(self, options: PreparationOptions) -> None:
        self._options = options

    def fit_transform(
        self,
        dataset: Dataset,
        needs: Needs,  # noqa: ARG002
        supervision: Supervision | None = None,  # noqa: ARG002
    ) -> tuple[Inputs, NDArray[np.int64]]:
        """Find the pictures' shape and return those of training rows and the positions of all of them.

        Raises
        ------
        RecipeError
            If the columns of numbers are no picture.
        """
        own = self._options.columns
        self._raw = tuple(dataset.schema)
        offered = [column for column in self._raw if not (column.name in own and own[column.name].drop)]
        self._columns = tuple(
            column for column in offered if column.storage in _PIXEL_STORAGES and column.kind != "identifier"
        )
        self.shape = _shape(self._columns, self._options.images.shape, offered)
        self.fill = 0.0
        self._set_readers()
        pixels = self._pixels(dataset.frame(self.columns))
        known = ~np.isnan(pixels)
        self.fill = float(pixels[known].mean(dtype=np.float64)) if known.any() else 0.0
        pixels[~known] = self.fill
        asked = self._options.images.augment
        by_default = ("shift",) if self.shape[2] == 1 else ("shift", "flip")
        self.augment = by_default if asked == "auto" else () if asked == "none" else asked
        inputs = Inputs({"images": pixels}, feature_names=self.columns, augment=self.augment)
        return inputs, np.arange(len(pixels))

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns that are read, in order."""
        return tuple(column.name for column in self._columns)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The raw columns."""
        return self.columns

    @property
    def feature_sources(self) -> tuple[tuple[str, ...], ...]:
        """The raw columns that each input comes from."""
        return tuple((name,) for name in self.columns)

    def transform(self, frame: pl.DataFrame) -> Inputs:
        """Return the pictures of a frame: ``images`` of shape (n_rows, height, width, channels)."""
        absent = [name for name in self.columns if name not in frame.columns]
        if absent:
            raise PredictionInputError(f"The table has no column `{absent[0]}`, which the model needs.")
        pixels = self._pixels(frame)
        np.nan_to_num(pixels, copy=False, nan=self.fill)
        return Inputs({"images": pixels}, feature_names=self.columns)

    def transform_row(self, row: Mapping[str, Any]) -> NDArray[np.float32]:
        """Return the picture of one row, shape (height, width, channels)."""
        pixels = np.empty(len(self._readers), np.float32)
        for place, (name, read) in enumerate(zip(self.columns, self._readers, strict=True)):
            if name not in row:
                raise PredictionInputError(
                    f"The row has no column `{name}`, which the model needs.{did_you_mean(name, row)}"
                )
            value = read(row[name])
            pixels[place] = self.fill if value is None else value
        return pixels.reshape(self.shape)

    @property
    def encode_row(self) -> Any:
        """`transform_row`."""
        return self.transform_row

    def stack(self, rows: Sequence[NDArray[np.float32]]) -> Inputs:
        """Return as inputs what `transform_row` returned for several rows."""
        images = np.array(rows, dtype=np.float32).reshape(len(rows), *self.shape)
        return Inputs({"images": images}, feature_names=self.columns)

    def describe_stages(self) -> list[dict[str, Any]]:
        """Return that nothing is done to all columns together."""
        return []

    def describe(self) -> list[dict[str, Any]]:
        """Return what is done to each raw column, for people (see `TablePreparation.describe`)."""
        height, width, n_channels = self.shape
        channels = "grey" if n_channels == 1 else count(n_channels, "channel")
        varied = f"in training varied at random: {', '.join(self.augment)}" if self.augment else ""
        steps = [
            f"a pixel of a picture of {height} × {width} pixels, {channels}; a missing one counts "
            f"{number(self.fill)}, the mean",
            *filter(None, [varied]),
        ]
        return [
            {
                "column": column.name,
                "kind": column.kind,
                "steps": steps if column.name in self.columns else [],
                "n_features": int(column.name in self.columns),
                "why": column.reason
                if column.name in self.columns
                else "left out: a network that looks at pictures sees nothing else",
                "resolved": {},
            }
            for column in self._raw
        ]

    def resolved_options(self) -> PreparationOptions:
        """Return the options with every `auto` replaced."""
        images = self._options.images.model_copy(
            update={"shape": self.shape, "augment": self.augment or "none"}
        )
        return self._options.model_copy(update={"images": images})

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return what was fitted, as JSON values and named arrays (none are needed)."""
        state = {
            "form": self.form,
            "version": VERSION,
            "columns": [asdict(column) for column in self._columns],
            "shape": list(self.shape),
            "fill": self.fill,
            "augment": list(self.augment),
        }
        return state, {}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:  # noqa: ARG003
        """Return the preparation that `state` described; it can transform, not be fitted again."""
        preparation = cls.__new__(cls)
        columns = [Column(**{**each, "missing": tuple(each["missing"])}) for each in state["columns"]]
        preparation._columns = preparation._raw = tuple(columns)
        height, width, n_channels = state["shape"]
        preparation.shape, preparation.fill = (height, width, n_channels), float(state["fill"])
        preparation.augment = tuple(state["augment"])
        preparation._set_readers()
        return preparation

    def _set_readers(self) -> None:
        self._readers = [row_reader(column) for column in self._columns]

    def _pixels(self, frame: pl.DataFrame) -> NDArray[np.float32]:
        """Return the pictures of a frame, missing pixels as NaN."""
        import polars as pl

        pixels = np.empty((len(frame), len(self._columns)), np.float32)
        for start in range(0, len(frame), _BLOCK_ROWS):
            block = frame[start : start + _BLOCK_ROWS].select(pl.col(self.columns).cast(pl.Float32))
            pixels[start : start + _BLOCK_ROWS] = block.to_numpy()
        return pixels.reshape(len(frame), *self.shape)


def _shape(
    columns: Sequence[Column], asked: tuple[int, int, int] | None, offered: Sequence[Column]
) -> tuple[int, int, int]:
    """Return the shape of the pictures that columns of pixels are.

    Raises
    ------
    RecipeError
        If they are none of that shape, or no square grey ones where no shape is given.
    """
    n_columns, side = len(columns), isqrt(len(columns))
    if asked is not None and prod(asked) == n_columns:
        return asked
    what = f"the table has {count(n_columns, 'column')} of numbers besides the target"
    if asked is not None:
        height, width, n_channels = asked
        raise RecipeError(
            f"`preparation.images.shape` is `[{height}, {width}, {n_channels}]`, which is "
            f"{count(prod(asked))} pixels, but {what}. Set it to the height, width and channels of the "
            "pictures, or leave out with `data.drop` what is no pixel."
        )
    if side < 2 or side**2 != n_columns:
        names = listed([column.name for column in offered], limit=6)
        raise RecipeError(
            f"This learner looks at pictures, and {what} ({names}), which is no square. Set "
            "`preparation.images.shape` to `[height, width, channels]`, leave out with `data.drop` what is "
            "no pixel, or choose a learner for tables."
        )
    return (side, side, 1)
