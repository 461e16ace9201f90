"""Pictures in files: each mode and size, damaged ones, and folders of them."""

import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from groundup.core.errors import DataError
from groundup.core.schema import Schema
from groundup.data.fingerprint import fingerprint
from groundup.data.options import DataOptions
from groundup.data.pictures import check, describe, pixels_of
from groundup.data.sources import read

NOISE = np.random.default_rng(0).integers(0, 256, (90, 120, 3)).astype(np.uint8)


def save(path: Path, image: Image.Image, **options: object) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return str(path)


def smooth(height: int, width: int) -> Image.Image:
    rows, columns = np.mgrid[:height, :width]
    channels = [255 * rows / height, 255 * columns / width, 128 + 0 * rows]
    return Image.fromarray(np.stack(channels, axis=2).astype(np.uint8))


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "RGBA", "LA", "CMYK", "I", "F", "I;16"])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_every_mode_becomes_bytes_like_the_picture(tmp_path: Path, mode: str, n_channels: int) -> None:
    original = smooth(40, 40)
    image = (
        Image.fromarray(np.asarray(original.convert("L")).astype(np.uint16) * 257)
        if mode == "I;16"
        else (original.convert("L").convert(mode) if mode in ("I", "F") else original.convert(mode))
    )
    path = save(tmp_path / "a.tiff", image)
    pixels = pixels_of(path, (40, 40, n_channels))
    assert pixels is not None
    assert pixels.shape == (40, 40, n_channels)
    expected = np.asarray(original.convert("L"), float)
    tolerance = {"1": 140, "P": 15}.get(mode, 8)  # both are dithered
    assert np.abs(pixels.mean(axis=2) - expected).mean() < (tolerance if n_channels == 1 else 30 + tolerance)
    found = describe(path)
    assert found is not None
    assert found.is_grey == (mode in ("L", "1", "LA", "I", "F", "I;16"))
    assert check(path) == "whole"


@pytest.mark.parametrize(("height", "width"), [(40, 80), (80, 40), (3, 200), (1, 1)])
def test_the_middle_is_resized(tmp_path: Path, height: int, width: int) -> None:
    path = save(tmp_path / "a.png", smooth(height, width))
    pixels = pixels_of(path, (20, 20, 3))
    assert pixels is not None
    assert pixels.shape == (20, 20, 3)
    if (height, width) == (40, 80):  # columns 20 to 60 are left
        assert pixels[:, 0, 1].mean() == pytest.approx(255 * 20 / 80, abs=4)
        assert pixels[:, -1, 1].mean() == pytest.approx(255 * 59 / 80, abs=4)


def test_what_one_sees_through_lies_on_white(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", Image.new("RGBA", (8, 8), (10, 20, 30, 0)))
    pixels = pixels_of(path, (8, 8, 3))
    assert pixels is not None
    assert pixels.min() == 255


def test_a_picture_that_lies_on_its_side_is_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    path = save(tmp_path / "a.jpg", smooth(32, 64), exif=exif.tobytes())
    found = describe(path)
    assert found is not None
    assert (found.height, found.width) == (64, 32)
    pixels = pixels_of(path, (64, 32, 3))
    assert pixels is not None
    assert pixels[-1, :, 1].mean() > pixels[0, :, 1].mean() + 200


@pytest.mark.parametrize("ending", ["jpg", "png", "gif", "bmp", "webp"])
def test_damaged_pictures_are_told_and_never_raise(tmp_path: Path, ending: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(NOISE).save(buffer, {"jpg": "JPEG"}.get(ending, ending))
    content, path = buffer.getvalue(), tmp_path / f"a.{ending}"
    states = set()
    for share in (0.0, 0.01, 0.3, 0.6, 0.9):
        path.write_bytes(content[: int(share * len(content))])
        state = check(str(path))
        states.add(state)
        pixels = pixels_of(str(path), (8, 8, 3))
        assert (pixels is None) == (state == "unreadable")
    assert "whole" not in states
    rng = np.random.default_rng(1)
    for _ in range(20):
        spoilt = bytearray(content)
        for place in rng.integers(0, len(content), 30):
            spoilt[place] = int(rng.integers(256))
        path.write_bytes(bytes(spoilt))
        check(str(path))
        describe(str(path))
        pixels_of(str(path), (8, 8, 1))


def test_a_picture_as_large_as_a_trap_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "a.png", Image.new("L", (200, 200)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 30_000)
    assert check(path) == "unreadable"
    assert pixels_of(path, (8, 8, 1)) is None


def test_a_file_that_changed_is_decoded_again(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", Image.new("L", (8, 8), 10))
    assert pixels_of(path, (8, 8, 1)).max() == 10  # type: ignore[union-attr]
    save(tmp_path / "a.png", Image.new("L", (9, 8), 200))
    assert pixels_of(path, (8, 8, 1)).min() == 200  # type: ignore[union-attr]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for label in ("NA", "dog"):
        for number in range(3):
            save(tmp_path / "photos" / label / f"{number} ü#.png", Image.new("L", (9, 9), 10 * number))
    save(tmp_path / "photos" / "dog" / "deep" / "in.jpg", Image.new("RGB", (9, 9)))
    (tmp_path / "photos" / ".git").mkdir()
    return tmp_path / "photos"


def test_a_folder_a_class_is_a_table_of_pictures_and_labels(photos: Path) -> None:
    dataset = read(DataOptions(source=str(photos)))
    frame = dataset.frame()
    assert [(column.name, column.kind) for column in dataset.schema] == [
        ("image", "image"),
        ("label", "category"),
    ]
    assert frame["label"].to_list() == ["NA"] * 3 + ["dog"] * 4
    assert frame["image"].to_list() == sorted(frame["image"].to_list())
    assert dataset.target == "label"
    assert dataset.findings == ()
    as_trained = read(DataOptions(source=str(photos / "NA")), schema=Schema([dataset.schema["image"]]))
    assert as_trained.frame().columns == ["image"]
    assert as_trained.n_rows == 3
    assert as_trained.target is None


def test_what_is_no_picture_is_told(photos: Path) -> None:
    (photos / "dog" / "bad.jpg").write_bytes(b"no picture")
    (photos / "dog" / "notes.txt").write_text("hello")
    (photos / "loose.png").write_bytes((photos / "dog" / "0 ü#.png").read_bytes())
    dataset = read(DataOptions(source=str(photos)))
    (finding,) = dataset.findings
    assert dataset.n_rows == 7
    assert (finding.code, finding.severity) == ("D021", "warning")
    assert finding.evidence == {
        "unreadable": ["dog/bad.jpg"],
        "truncated": [],
        "skipped": ["loose.png", "dog/notes.txt"],
    }
    assert "`dog/bad.jpg`" in finding.message


def test_a_folder_without_a_readable_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.jpg").write_bytes(b"")
    with pytest.raises(DataError, match="None of the 1 picture"):
        read(DataOptions(source=str(tmp_path)))


def test_tables_beside_folders_are_tables(tmp_path: Path) -> None:
    save(tmp_path / "figures" / "a.png", Image.new("L", (9, 9)))
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n3,4\n")
    assert read(DataOptions(source=str(tmp_path))).frame().columns == ["a", "b"]


def test_the_fingerprint_is_that_of_the_contents(photos: Path, tmp_path: Path) -> None:
    before = fingerprint(read(DataOptions(source=str(photos))))
    photos.rename(tmp_path / "moved")
    assert fingerprint(read(DataOptions(source=str(tmp_path / "moved")))) == before
    save(tmp_path / "moved" / "dog" / "0 ü#.png", Image.new("L", (9, 9), 99))
    assert fingerprint(read(DataOptions(source=str(tmp_path / "moved")))) != before


def test_a_column_of_paths_may_be_called_one_of_pictures(photos: Path) -> None:
    frame = pl.DataFrame({"photo": [str(each) for each in sorted(photos.rglob("*.png"))], "y": range(6)})
    dataset = read(DataOptions(columns={"photo": "image"}), frame=frame)
    assert dataset.schema["photo"].kind == "image"


def test_folders_of_parts_are_no_classes(photos: Path, tmp_path: Path) -> None:
    for part in ("train", "test"):
        for label in ("cat", "dog"):
            save(tmp_path / "divided" / part / label / "0.png", Image.new("L", (9, 9)))
    dataset = read(DataOptions(source=str(tmp_path / "divided")))
    assert dataset.part == "part"
    assert dataset.frame().drop("image").rows() == [
        ("cat", "test"),
        ("dog", "test"),
        ("cat", "train"),
        ("dog", "train"),
    ]
