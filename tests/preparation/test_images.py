"""Pictures out of columns of pixels."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from groundup.core.errors import PredictionInputError, RecipeError
from groundup.core.inputs import Inputs, Needs
from groundup.data.dataset import Dataset
from groundup.data.options import DataOptions
from groundup.data.sources import read
from groundup.preparation.forms import make_preparation, preparation_from_state
from groundup.preparation.images import ImagePreparation
from groundup.preparation.options import PreparationOptions

NEEDS = Needs(form="images")


def pixels(n_rows: int = 30, n_columns: int = 16) -> pl.DataFrame:
    values = np.random.default_rng(0).integers(0, 17, (n_rows, n_columns))
    return pl.DataFrame({f"p{place}": values[:, place] for place in range(n_columns)})


def fitted(frame: pl.DataFrame, **images: object) -> tuple[ImagePreparation, np.ndarray]:
    preparation = make_preparation(PreparationOptions.model_validate({"images": images}), "images")
    assert isinstance(preparation, ImagePreparation)
    inputs, kept = preparation.fit_transform(dataset_of(frame), NEEDS)
    assert kept.tolist() == list(range(len(frame)))
    return preparation, inputs.arrays["images"]


def dataset_of(frame: pl.DataFrame) -> Dataset:
    return read(DataOptions(), frame=frame)


def test_columns_of_numbers_are_a_square_grey_picture_row_by_row() -> None:
    frame = pixels().with_columns(p5=pl.lit(0), note=pl.lit("as it was"))
    preparation, images = fitted(frame)
    assert preparation.shape == (4, 4, 1)
    np.testing.assert_array_equal(images.reshape(30, 16), frame.drop("note").to_numpy())
    assert [row["n_features"] for row in preparation.describe()] == [1] * 16 + [0]


def test_a_shape_that_is_asked_for_holds() -> None:
    frame = pixels(n_columns=24)
    preparation, images = fitted(frame, shape=[2, 4, 3])
    assert images.shape == (30, 2, 4, 3)
    assert images[3, 1, 2, 0] == frame.row(3)[(1 * 4 + 2) * 3]
    assert preparation.resolved_options().images.augment == ("shift", "flip")


@pytest.mark.parametrize(("images", "said"), [({}, "24 columns"), ({"shape": [5, 5, 1]}, "25 pixels")])
def test_other_counts_are_refused_with_what_to_set(images: dict[str, object], said: str) -> None:
    with pytest.raises(RecipeError, match=said) as raised:
        fitted(pixels(n_columns=24), **images)
    assert "preparation.images.shape" in str(raised.value)
    assert "24 columns" in str(raised.value)


@pytest.mark.parametrize(
    ("asked", "used"),
    [("auto", ("shift",)), ("none", ()), (["flip", "crop"], ("flip", "crop"))],
)
def test_training_inputs_say_how_they_may_be_varied(asked: object, used: tuple[str, ...]) -> None:
    options = PreparationOptions.model_validate({"images": {"augment": asked}})
    preparation = ImagePreparation(options)
    inputs, _ = preparation.fit_transform(dataset_of(pixels()), NEEDS)
    assert inputs.augment == used
    assert preparation.transform(pixels()).augment == ()
    again = ImagePreparation(preparation.resolved_options())
    assert again.fit_transform(dataset_of(pixels()), NEEDS)[0].augment == used


def test_missing_pixels_count_the_mean() -> None:
    frame = pixels().with_columns(p3=pl.when(pl.col("p0") > 8).then(None).otherwise(pl.col("p3")))
    preparation, images = fitted(frame)
    known = frame.to_numpy().astype(float)
    assert preparation.fill == pytest.approx(np.nanmean(known))
    np.testing.assert_allclose(images.reshape(30, 16), np.where(np.isnan(known), preparation.fill, known))


def test_rows_and_reloaded_preparations_see_the_same_pictures() -> None:
    frame = pixels().with_columns(p3=pl.when(pl.col("p0") > 8).then(None).otherwise(pl.col("p3")))
    preparation, images = fitted(frame)
    state, arrays = preparation.state()
    again = preparation_from_state(state, arrays)
    for each in (preparation, again):
        np.testing.assert_array_equal(each.transform(frame).arrays["images"], images)
        rows = [each.transform_row(row) for row in frame.to_dicts()]
        np.testing.assert_array_equal(each.stack(rows).arrays["images"], images)
    assert preparation.stack([]).arrays["images"].shape == (0, 4, 4, 1)
    with pytest.raises(PredictionInputError, match="p7"):
        again.transform_row({name: 1 for name in frame.columns if name != "p7"})
    with pytest.raises(PredictionInputError, match="p7"):
        again.transform(frame.drop("p7"))


def photos(folder: Path, sides: list[int], mode: str = "RGB") -> pl.DataFrame:
    paths = []
    for place, side in enumerate(sides):
        path = folder / f"{place}.png"
        Image.new(mode, (side + 10, side), (20 * place,) * len(mode)).save(path)
        paths.append(str(path))
    return pl.DataFrame({"image": paths, "x": range(len(paths))})


def prepared(frame: pl.DataFrame, form: str = "images", **images: object) -> tuple[ImagePreparation, Inputs]:
    preparation = make_preparation(PreparationOptions.model_validate({"images": images}), form)  # type: ignore[arg-type]
    dataset = read(DataOptions(columns={"image": "image"}), frame=frame)
    inputs, _ = preparation.fit_transform(dataset, NEEDS)
    assert isinstance(preparation, ImagePreparation)
    return preparation, inputs


@pytest.mark.parametrize(
    ("sides", "mode", "images", "shape"),
    [
        ([20, 20, 20], "RGB", {}, (20, 30, 3)),
        ([20, 21, 30], "RGB", {}, (32, 32, 3)),
        ([20, 200, 300], "L", {}, (64, 64, 1)),
        ([20, 200, 300], "L", {"size": 16}, (16, 16, 1)),
    ],
)
def test_pictures_in_files_get_one_size(
    tmp_path: Path, sides: list[int], mode: str, images: dict[str, object], shape: tuple[int, int, int]
) -> None:
    preparation, inputs = prepared(photos(tmp_path, sides, mode), **images)
    assert inputs.arrays["images"].shape == (3, *shape)
    assert inputs.arrays["images"].dtype == np.uint8
    assert inputs.arrays["images"][:, 0, 0, 0].tolist() == [0, 20, 40]
    assert preparation.columns == ("image",)


def test_pictures_that_cannot_be_read_are_plain_in_a_table_and_refused_alone(tmp_path: Path) -> None:
    frame = photos(tmp_path, [20, 20, 20])
    preparation, _ = prepared(frame)
    state, arrays = preparation.state()
    again = preparation_from_state(state, arrays)
    (tmp_path / "1.png").write_bytes(b"no picture")
    images = again.transform(frame).arrays["images"]
    assert set(images[1].ravel().tolist()) == {20}
    np.testing.assert_array_equal(again.transform_row(frame.row(2, named=True)), images[2])
    with pytest.raises(PredictionInputError, match="no picture that can be read"):
        again.transform_row(frame.row(1, named=True))
    with pytest.raises(PredictionInputError, match="is not there"):
        again.transform_row({"image": "nowhere.png"})
    with pytest.raises(PredictionInputError, match="is not there"):
        again.transform_row({"image": None})


def test_thumbnails_are_a_table(tmp_path: Path) -> None:
    frame = photos(tmp_path, [20, 30, 40])
    preparation, inputs = prepared(frame, "thumbnails")
    assert inputs.X.shape == (3, 8 * 8 * 3)
    assert len(preparation.feature_names) == len(set(preparation.feature_names)) == 8 * 8 * 3
    again = preparation_from_state(*preparation.state())
    rows = [again.transform_row(row) for row in frame.to_dicts()]
    np.testing.assert_array_equal(again.stack(rows).X, inputs.X)
