"""The preparation of pictures for networks: the pixels of a row as one array, from columns or from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isqrt, prod
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from groundup.core.errors import DataError, PredictionInputError, RecipeError
from groundup.core.inputs import Form, Inputs
from groundup.core.schema import Column
from groundup.core.wording import count, listed, number, shown
from groundup.data.pictures import Shape, describe, pixels_of
from groundup.preparation.whole import WholePreparation

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from groundup.core.inputs import Needs, Supervision
    from groundup.data.dataset import Dataset
    from groundup.preparation.options import ImageOptions, PreparationOptions

VERSION: Final = 1
_PIXEL_STORAGES: Final = ("integer", "float", "boolean")
_BLOCK_ROWS: Final = 4096
_LARGEST_AS_IS: Final = 64
_SMALL: Final = 48
_THUMBNAIL: Final = 8


class ImagePreparation(WholePreparation):
    """Turns the columns of a row, which are pixels or name a file, into a picture.

    What is asked for stands in the section ``images`` of its options.

    Attributes
    ----------
    columns : tuple of str
        The raw columns that are read, in order.
    shape : tuple of int
        Height, width and channels.
    fill : float
        The mean of all pixels of the training rows, which stands for a missing one, and for all pixels of a
        picture that cannot be read.
    """

    form: Form = "images"

    shape: Shape
    fill: float

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
        offered = self._offered(dataset)
        files = tuple(column for column in offered if column.kind == "image")
        pixel_columns = [
            column for column in offered if column.storage in _PIXEL_STORAGES and column.kind != "identifier"
        ]
        self._set_columns(files or pixel_columns, tuple(dataset.schema))
        frame = dataset.frame(self.columns)
        if files:
            _check_one(files)
            self.shape = self._shape_of_files(frame.to_series().drop_nulls().to_list())
        else:
            self.shape = _shape(self._columns, self._options.images.shape, offered)
        pixels, is_known = self._pixels(frame)
        self.fill = float(np.mean(pixels, where=is_known, dtype=np.float64)) if is_known.any() else 0.0
        self._n_unreadable = int(np.count_nonzero(~is_known)) if files else 0
        pixels = self._filled(pixels, is_known)
        asked = self._options.images.augment
        by_default = ("shift",) if self.shape[2] == 1 else ("shift", "flip")
        self.augment = by_default if asked == "auto" else () if asked == "none" else asked
        return replace(self._inputs(pixels), augment=self.augment), np.arange(len(pixels))

    def transform(self, frame: pl.DataFrame) -> Inputs:
        """Return the pictures of a frame: ``images`` of shape (n_rows, height, width, channels)."""
        self._check_present(frame)
        return self._inputs(self._filled(*self._pixels(frame)))

    def transform_row(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        """Return the picture of one row, shape (height, width, channels).

        Raises
        ------
        PredictionInputError
            If a column is not there, or its file cannot be read.
        """
        values = self._values_of(row)
        if self._are_files:
            return _read_file(values[0], self.shape)
        pixels = [self.fill if value is None else value for value in values]
        return np.array(pixels, np.float32).reshape(self.shape)

    def stack(self, rows: Sequence[NDArray[np.generic]]) -> Inputs:
        """Return as inputs what `transform_row` returned for several rows."""
        return self._inputs(np.array(rows, dtype=self._dtype).reshape(len(rows), *self.shape))

    def describe(self) -> list[dict[str, Any]]:
        """Return what is done to each raw column, for people (see `TablePreparation.describe`)."""
        height, width, n_channels = self.shape
        channels = "grey" if n_channels == 1 else count(n_channels, "channel")
        size = f"{height} × {width} pixels, {channels}"
        if self._are_files:
            steps = [f"the middle of each picture, resized to {size}"]
            if self._n_unreadable:
                steps.append(f"{count(self._n_unreadable, 'picture')} cannot be read and count as plain grey")
        else:
            steps = [f"a pixel of a picture of {size}; a missing one counts {number(self.fill)}, the mean"]
        if self.augment:
            steps.append(f"in training varied at random: {', '.join(self.augment)}")
        n_features = prod(self.shape) if self._are_files else 1
        return self._described(steps, n_features, "a network that looks at pictures sees nothing else")

    def resolved_options(self) -> PreparationOptions:
        """Return the options with every `auto` replaced."""
        shape, size = (None, min(self.shape[:2])) if self._are_files else (self.shape, None)
        if self.shape[0] != self.shape[1]:
            size = None
        images = self._options.images.model_copy(
            update={"shape": shape, "size": size, "augment": self.augment or "none"}
        )
        return self._options.model_copy(update={"images": images})

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return what was fitted, as JSON values and named arrays (none are needed)."""
        state = {
            "form": self.form,
            "version": VERSION,
            "columns": self._columns_state(),
            "shape": list(self.shape),
            "fill": self.fill,
            "augment": list(self.augment),
        }
        return state, {}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:  # noqa: ARG003
        """Return the preparation that `state` described; it can transform, not be fitted again."""
        preparation = cls.__new__(cls)
        preparation._set_columns_state(state["columns"])
        height, width, n_channels = state["shape"]
        preparation.shape, preparation.fill = (height, width, n_channels), float(state["fill"])
        preparation.augment = tuple(state["augment"])
        preparation._n_unreadable = 0
        return preparation

    def _inputs(self, images: NDArray[Any]) -> Inputs:
        return Inputs({"images": images}, feature_names=self.columns)

    def _shape_of_files(self, paths: Sequence[str]) -> Shape:
        return _shape_of_files(paths, self._options.images)

    @property
    def _are_files(self) -> bool:
        return self._columns[0].kind == "image"

    @property
    def _dtype(self) -> type[np.generic]:
        return np.uint8 if self._are_files else np.float32

    def _pixels(self, frame: pl.DataFrame) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return the pictures of a frame, and where they are known: (n, 1, 1, 1), or pixel by pixel."""
        import polars as pl

        images = np.zeros((len(frame), *self.shape), self._dtype)
        if self._are_files:
            found = [path and pixels_of(path, self.shape) for path in frame[self.columns[0]]]
            is_known = np.array([each is not None for each in found], bool).reshape(-1, 1, 1, 1)
            for image, pixels in zip(images, found, strict=True):
                if pixels is not None:
                    image[:] = pixels
            return images, is_known
        rows = images.reshape(len(frame), prod(self.shape))
        for start in range(0, len(frame), _BLOCK_ROWS):
            block = frame[start : start + _BLOCK_ROWS].select(pl.col(self.columns).cast(pl.Float32))
            rows[start : start + _BLOCK_ROWS] = block.to_numpy()
        return images, ~np.isnan(images)

    def _filled(self, images: NDArray[Any], is_known: NDArray[np.bool_]) -> NDArray[Any]:
        return (
            images if is_known.all() else np.where(is_known, images, np.array(self.fill).astype(images.dtype))
        )


class ThumbnailPreparation(ImagePreparation):
    """Turns pictures in files into a few numbers, for what compares a network with learners for tables."""

    form: Form = "thumbnails"

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The pixels of a small picture, by row, column and channel."""
        height, width, n_channels = self.shape
        return tuple(
            f"{self.columns[0]}_{row}_{column}_{channel}"
            for row in range(height)
            for column in range(width)
            for channel in range(n_channels)
        )

    @property
    def feature_sources(self) -> tuple[tuple[str, ...], ...]:
        """The column of pictures, for each pixel."""
        return (self.columns,) * prod(self.shape)

    def transform_row(self, row: Mapping[str, Any]) -> list[float]:  # type: ignore[override]
        """Return the pixels of one row's picture."""
        return super().transform_row(row).ravel().astype(float).tolist()

    def _inputs(self, images: NDArray[Any]) -> Inputs:
        rows = images.reshape(len(images), prod(self.shape)).astype(np.float64)
        return Inputs({"X": rows}, feature_names=self.feature_names)

    def _shape_of_files(self, paths: Sequence[str]) -> Shape:
        return (_THUMBNAIL, _THUMBNAIL, super()._shape_of_files(paths)[2])


def _read_file(path: object, shape: Shape) -> NDArray[np.uint8]:
    pixels = pixels_of(str(path), shape)
    if pixels is None:
        problem = "is no picture that can be read" if Path(str(path)).is_file() else "is not there"
        raise PredictionInputError(f"The file {shown(path)} {problem}. Name a JPEG or PNG file.")
    return pixels


def _check_one(files: Sequence[Column]) -> None:
    if len(files) > 1:
        names = [column.name for column in files]
        raise RecipeError(
            f"This learner looks at one picture a row, and {listed(names)} hold pictures. Leave all but one "
            f"out: `data.drop: [{names[-1]}]`."
        )


def _shape_of_files(paths: Sequence[str], options: ImageOptions) -> Shape:
    """Return the size to which pictures are resized, and whether in colour, as most of them are.

    Raises
    ------
    DataError
        If none can be read.
    """
    found = [each for path in paths if (each := describe(path)) is not None]
    if not found:
        raise DataError(
            f"None of the {count(len(paths), 'picture')} can be read, the first is {shown(paths[0])}. Paths "
            "are looked up from the current folder."
            if paths
            else "There are no pictures in the training rows."
        )
    n_channels = 1 if 2 * sum(each.is_grey for each in found) > len(found) else 3
    if options.size is not None:
        return (options.size, options.size, n_channels)
    height, width = found[0].height, found[0].width
    if max(height, width) <= _LARGEST_AS_IS and all(
        (each.height, each.width) == (height, width) for each in found
    ):
        return (height, width, n_channels)
    usual = median(min(each.height, each.width) for each in found)
    side = 32 if usual < _SMALL else 64
    return (side, side, n_channels)


def _shape(columns: Sequence[Column], asked: Shape | None, offered: Sequence[Column]) -> Shape:
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
