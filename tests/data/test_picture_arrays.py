"""Many pictures in one file: IDX and .npz."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from groundup.core.errors import DataError
from groundup.core.schema import Schema
from groundup.data.dataset import Dataset
from groundup.data.fingerprint import fingerprint
from groundup.data.options import DataOptions
from groundup.data.pictures import describe, pixels_of
from groundup.data.sources import read

PICTURES = np.random.default_rng(0).integers(0, 256, (12, 5, 7)).astype(np.uint8)
LABELS = np.arange(12, dtype=np.uint8) % 3


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def load(source: Path) -> Dataset:
    return read(DataOptions(source=str(source)))


def pixels(dataset: Dataset, shape: tuple[int, int, int]) -> np.ndarray:
    return np.array([pixels_of(each, shape) for each in dataset.frame()["image"]])


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(PICTURES[:8])))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS[:8]))
    (tmp_path / "t10k-images.idx3-ubyte").write_bytes(idx(PICTURES[8:]))
    (tmp_path / "t10k-labels.idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS[8:])))
    return tmp_path


def test_a_folder_of_idx_files_is_a_table_with_its_test_part(mnist: Path) -> None:
    dataset = load(mnist)
    frame = dataset.frame()
    assert {column.name: column.kind for column in dataset.schema} == {
        "image": "image",
        "label": "category",
        "part": "category",
    }
    assert (dataset.target, dataset.part) == ("label", "part")
    assert frame["part"].to_list() == ["test"] * 4 + ["train"] * 8
    order = [*range(8, 12), *range(8)]
    assert frame["label"].to_list() == [str(each) for each in LABELS[order]]
    np.testing.assert_array_equal(pixels(dataset, (5, 7, 1))[..., 0], PICTURES[order])
    found = describe(frame["image"][0])
    assert found is not None
    assert (found.height, found.width, found.is_grey) == (5, 7, True)
    assert pixels(dataset, (10, 14, 3)).shape == (12, 10, 14, 3)
    as_trained = read(DataOptions(source=str(mnist)), schema=Schema([dataset.schema["image"]]))
    assert as_trained.frame().columns == ["image"]


def test_one_file_has_no_parts(mnist: Path) -> None:
    dataset = load(mnist / "train-images-idx3-ubyte.gz")
    assert dataset.part is None
    assert dataset.schema.names == ("image", "label")
    (mnist / "train-labels-idx1-ubyte").unlink()
    assert load(mnist / "train-images-idx3-ubyte.gz").schema.names == ("image",)


@pytest.mark.parametrize("compressed", [False, True])
def test_an_npz_is_a_table(tmp_path: Path, compressed: bool) -> None:
    save = np.savez_compressed if compressed else np.savez
    colours = np.stack([PICTURES, 255 - PICTURES, PICTURES // 2], axis=3)
    save(tmp_path / "a.npz", x=colours, y=LABELS[:, np.newaxis])
    dataset = load(tmp_path / "a.npz")
    assert dataset.frame()["label"].to_list() == [str(each) for each in LABELS]
    np.testing.assert_array_equal(pixels(dataset, (5, 7, 3)), colours)
    save(tmp_path / "b.npz", x_train=colours.transpose(0, 3, 1, 2) / 255, y_train=LABELS * 0.5)
    shares = load(tmp_path / "b.npz")
    assert shares.schema["label"].kind == "number"
    np.testing.assert_array_equal(pixels(shares, (5, 7, 3)), colours)
    assert fingerprint(shares) != fingerprint(dataset)


def test_parts_of_an_npz_are_kept(tmp_path: Path) -> None:
    parts = {"x_train": PICTURES[:8], "y_train": LABELS[:8], "x_test": PICTURES[8:], "y_test": LABELS[8:]}
    np.savez(tmp_path / "a.npz", **parts)
    dataset = load(tmp_path / "a.npz")
    assert dataset.part == "part"
    assert dataset.frame()["part"].to_list() == ["train"] * 8 + ["test"] * 4


def test_damaged_files_say_what_is_wrong(mnist: Path) -> None:
    train = mnist / "train-images-idx3-ubyte.gz"
    whole = train.read_bytes()
    for content in (whole[:40], gzip.compress(idx(PICTURES[:8])[:-1]), gzip.compress(b""), b"hello", b""):
        train.write_bytes(content)
        with pytest.raises(DataError, match="idx3"):
            load(mnist)
    train.write_bytes(gzip.compress(idx(PICTURES[:7])))
    with pytest.raises(DataError, match=r"7 pictures.*8 labels"):
        load(mnist)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"a": PICTURES}, "no array of pictures"),
        ({"x": PICTURES[0, 0]}, "no list of pictures"),
        ({"x": PICTURES * 3.0}, "Save them as bytes"),
        ({"x": np.array([{}])}, "no .npz of plain arrays"),
        ({"x": np.array(["a"])}, "no list of pictures"),
    ],
)
def test_an_npz_of_something_else_is_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], said: str
) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=said):
        load(tmp_path / "a.npz")
    (tmp_path / "a.npz").write_bytes(b"hello")
    with pytest.raises(DataError, match=r"no \.npz"):
        load(tmp_path / "a.npz")


def test_a_place_that_is_not_there_is_no_picture(mnist: Path) -> None:
    path = str(mnist / "train-images-idx3-ubyte.gz")
    assert pixels_of(f"{path}#7", (5, 7, 1)) is not None
    assert pixels_of(f"{path}#8", (5, 7, 1)) is None
    assert pixels_of(f"{path.replace('train', 'other')}#0", (5, 7, 1)) is None
