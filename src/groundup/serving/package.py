"""The package: a model in a folder of files that execute nothing, checked before they are trusted.

::

    model/
      manifest.json             what it is: problem, schema, digests of all other files, versions, card
      manifest.sha256           the digest of manifest.json, as `sha256sum` writes it
      preparation.json          the preparation's state …
      preparation.safetensors   … and its arrays
      answers.json              calibration, threshold, and the scores behind intervals and sets
      weights/                  what the learner saved: arrays, JSON, or the booster's own format

The digests find damage: a flipped bit, a file lost or added, an edit. They are no signature, which
is why nothing in the folder is ever executed: names of classes are looked up in the catalogue.
"""

import json
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from groundup.core.errors import PackageError
from groundup.core.files import sha256_of, whole_folder, write_bytes, write_json, write_text
from groundup.core.schema import Schema
from groundup.core.tasks import GENERATION, Task
from groundup.serving.answering import Answering
from groundup.serving.manifest import Manifest
from groundup.serving.model import Model

if TYPE_CHECKING:
    from groundup.models.contract import Fitted
    from groundup.preparation.contract import Preparation
    from groundup.serving.options import DeploymentOptions

MANIFEST: Final = "manifest.json"
MANIFEST_DIGEST: Final = "manifest.sha256"
ANSWERS: Final = "answers.json"
PREPARATION: Final = "preparation.json"
PREPARATION_ARRAYS: Final = "preparation.safetensors"
WEIGHTS: Final = "weights"

_PACKAGES: Final = ("groundup", "numpy", "polars", "lightgbm", "scikit-learn")

_AGAIN: Final = "Copy the model again from where it was made, or train it again (`groundup reproduce RUN`)."


@dataclass(frozen=True)
class PackageContents:
    """What goes into a package.

    Parameters
    ----------
    task : Task
        What is asked for.
    target : str
        The column that is predicted.
    positive : str, int, float, bool or None
        In a problem of two classes, the one that is looked for.
    schema : Schema
        The columns of the data; those that the preparation uses are kept.
    preparation : Preparation
        Fitted.
    classes : tuple
        The class labels, a label's code being its index (`TargetPlan.classes`); () for regression.
    fitted : Fitted
        The learner's parameters.
    learner : str
        The learner's name.
    fitted_reference : str
        ``module:Class`` of `fitted`, `Learner.fitted`.
    deployment : DeploymentOptions
        The recipe's section.
    card : mapping
        JSON values for readers: metrics, data, how it was made. No part of the model's identity.
    answering : Answering
        Calibration, threshold, and the scores behind intervals and sets; by default none of them.
    """

    task: Task
    target: str
    positive: str | int | float | bool | None
    schema: Schema
    preparation: "Preparation"
    classes: tuple[str | int | float | bool, ...]
    fitted: "Fitted"
    learner: str
    fitted_reference: str
    deployment: "DeploymentOptions"
    card: Mapping[str, Any] = field(default_factory=dict)
    answering: Answering = field(default_factory=Answering)


def write_package(folder: Path, contents: PackageContents) -> str:
    """Write a model into a folder that appears whole or not at all.

    Parameters
    ----------
    folder : Path
        Where; one that exists is replaced.
    contents : PackageContents
        What.

    Returns
    -------
    str
        The model's digest (SHA-256, 64 hexadecimal digits): equal models have equal digests.

    Raises
    ------
    StorageError
        If the folder cannot be written; nothing is left behind then.
    """
    with whole_folder(folder) as temporary:
        digests = _write_preparation(temporary, contents.preparation)
        digests[ANSWERS] = write_json(temporary / ANSWERS, contents.answering.state())
        weights = temporary / WEIGHTS
        weights.mkdir()
        contents.fitted.save(weights)
        digests |= {f"{WEIGHTS}/{name}": sha256_of(weights / name) for name in list_files(weights)}
        return finish_package(temporary, _manifest(contents, digests))


def finish_package(folder: Path, manifest: Manifest) -> str:
    """Write the manifest and its digest, which come last, and return the model's digest."""
    versions = _versions()
    told = replace(manifest, created_with=versions.pop("groundup", "unknown"), versions=versions)
    digest = write_json(folder / MANIFEST, told.to_json())
    write_text(folder / MANIFEST_DIGEST, _digest_line(digest))
    return told.digest


def load_package(folder: str | Path) -> Model:
    """Check every file of a model folder against its digest, then load the model.

    Parameters
    ----------
    folder : str or Path
        What `write_package` wrote.

    Returns
    -------
    Model
        Ready to predict.

    Raises
    ------
    PackageError
        If the folder is not a model, a file is damaged, missing or added, a path leaves the folder,
        or a later version wrote it.
    """
    folder = Path(folder)
    manifest = check_package(folder)
    if manifest.task == GENERATION:
        raise PackageError(
            f"The model `{folder}` writes texts; it knows no columns. Use `groundup generate`, or in Python "
            "`groundup.load_writer`."
        )
    return _load(folder, manifest)


def check_package(folder: Path) -> Manifest:
    """Check every file of a model folder against its digest and return its manifest.

    Raises
    ------
    PackageError
        As `load_package`.
    """
    names = set(list_files(folder)) if folder.is_dir() else set()
    if MANIFEST not in names:
        raise PackageError(_not_a_model(folder))
    try:
        manifest = _read_manifest(folder, names)
        _check_files(folder, names, manifest.digests)
    except OSError as error:
        raise PackageError(f"Cannot read the model `{folder}`: {error}.") from error
    return manifest


def load_model(path: str | Path) -> Model:
    """Load the model of a run, or a package that stands alone.

    Parameters
    ----------
    path : str or Path
        A run's folder, or a model folder (see `load_package`).

    Returns
    -------
    Model
        Ready to predict.

    Raises
    ------
    PackageError
        If there is no model, or it is damaged.
    """
    return load_package(model_folder(Path(path)))


def model_folder(path: Path) -> Path:
    """Return where the model of a run is; a folder that is no run, as it is.

    Raises
    ------
    PackageError
        If the run has no model yet.
    """
    if not (path / "run.json").is_file():
        return path
    if not (path / "model").is_dir():
        raise PackageError(f"The run `{path}` has no model yet. Continue it with: groundup resume {path}")
    return path / "model"


def _write_preparation(folder: Path, preparation: "Preparation") -> dict[str, str]:
    from safetensors.numpy import save

    state, arrays = preparation.state()
    return {
        PREPARATION: write_json(folder / PREPARATION, state),
        PREPARATION_ARRAYS: write_bytes(folder / PREPARATION_ARRAYS, save(dict(arrays))),
    }


def _manifest(contents: PackageContents, digests: Mapping[str, str]) -> Manifest:
    return Manifest(
        task=contents.task,
        target=contents.target,
        classes=contents.classes,
        positive=contents.positive,
        schema=contents.schema.select(contents.preparation.columns),
        learner=contents.learner,
        fitted=contents.fitted_reference,
        deployment=contents.deployment.model_dump(mode="json"),
        digests=digests,
        card=contents.card,
    )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _digest_line(digest: str) -> str:
    return f"{digest}  {MANIFEST}\n"


def list_files(folder: Path, prefix: str = "") -> Iterator[str]:
    """Yield the relative paths of all files, with "/"; refuse links and what is neither file nor folder."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            name = f"{prefix}{entry.name}"
            if entry.is_symlink():
                raise PackageError(
                    f"`{name}` in the model folder is a link, which may lead out of it. "
                    "Put the file itself there."
                )
            if entry.is_dir(follow_symlinks=False):
                yield from list_files(Path(entry.path), f"{name}/")
            elif entry.is_file(follow_symlinks=False):
                yield name
            else:
                raise PackageError(f"`{name}` in the model folder is neither a file nor a folder. Remove it.")


def _not_a_model(folder: Path) -> str:
    if not folder.exists():
        return f"There is no model at `{folder}`: the folder does not exist."
    if (folder / "model" / MANIFEST).is_file():
        return f"`{folder}` is not a model folder. Did you mean `{folder / 'model'}`?"
    return f"`{folder}` is not a model folder: it has no `{MANIFEST}`."


def _read_manifest(folder: Path, names: set[str]) -> Manifest:
    if MANIFEST_DIGEST not in names:
        raise PackageError(f"`{MANIFEST_DIGEST}` is missing from the model `{folder}`. {_AGAIN}")
    if (folder / MANIFEST_DIGEST).read_bytes() != _digest_line(sha256_of(folder / MANIFEST)).encode():
        raise PackageError(
            f"`{MANIFEST}` of the model `{folder}` does not have the digest that `{MANIFEST_DIGEST}` states: "
            f"one of the two was damaged or edited. {_AGAIN}"
        )
    try:
        document = json.loads((folder / MANIFEST).read_bytes())
    except (ValueError, RecursionError) as error:
        raise PackageError(f"`{MANIFEST}` of the model `{folder}` is not JSON: {error}.") from error
    return Manifest.from_json(document)


def _check_files(folder: Path, names: set[str], digests: Mapping[str, str]) -> None:
    present = names - {MANIFEST, MANIFEST_DIGEST}
    for name in sorted(digests.keys() - present):
        raise PackageError(f"`{name}` is missing from the model `{folder}`. {_AGAIN}")
    for name in sorted(present - digests.keys()):
        raise PackageError(
            f"`{name}` in the model `{folder}` is not listed in its manifest. Remove it if you put it there."
        )
    for name, digest in digests.items():
        if sha256_of(folder / name) != digest:
            raise PackageError(
                f"`{name}` of the model `{folder}` is damaged or was edited: its SHA-256 is not the one "
                f"in the manifest. {_AGAIN}"
            )


def _load_answering(folder: Path, manifest: Manifest) -> Answering:
    if ANSWERS not in manifest.digests:  # packages of format version 1
        return Answering()
    answering = Answering.from_state(json.loads((folder / ANSWERS).read_bytes()))
    if answering.threshold is not None and len(manifest.classes) != 2:
        raise ValueError("a threshold needs two classes")
    return answering


def _load(folder: Path, manifest: Manifest) -> Model:
    """Build the model from files that were checked; what still misfits was written by another program."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from groundup.models.catalogue import load_fitted
    from groundup.preparation.forms import preparation_from_state

    try:
        state = json.loads((folder / PREPARATION).read_bytes())
        arrays = load_file(folder / PREPARATION_ARRAYS)
        return Model(
            manifest,
            preparation=preparation_from_state(state, arrays),
            fitted=load_fitted(manifest.fitted, folder / WEIGHTS),
            answering=_load_answering(folder, manifest),
        )
    except (OSError, ValueError, TypeError, LookupError, AttributeError, SafetensorError) as error:
        raise PackageError(
            f"The files of the model `{folder}` do not fit together: {type(error).__name__}: {error}. They "
            f"were written by another program, or by another version of groundup. {_AGAIN}"
        ) from error
