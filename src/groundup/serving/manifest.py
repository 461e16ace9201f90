"""The manifest: what a package says about itself, and the checks of that document."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from groundup.core.errors import PackageError
from groundup.core.schema import Schema
from groundup.core.tasks import GENERATION

FORMAT: Final = "groundup-package"
FORMAT_VERSION: Final = 2
"""2: `answers.json` may change what the learner says, which version 1 would not know."""

_MUST_HAVE: Final[Mapping[str, type | tuple[type, ...]]] = {
    "task": str,
    "target": str,
    "classes": list,
    "positive": (str, int, float, bool, type(None)),
    "inputs": list,
    "outputs": list,
    "learner": str,
    "fitted": str,
    "deployment": dict,
    "digests": dict,
    "digest": str,
    "created_with": str,
    "versions": dict,
    "card": dict,
}

_NOT_THE_MODEL: Final = frozenset({"digest", "created_with", "versions", "card"})
"""Keys that may differ between two packages of the same model."""


@dataclass(frozen=True)
class Manifest:
    """What a package says about itself.

    Parameters
    ----------
    task, target, classes, positive
        The problem; `classes` is empty for regression.
    schema : Schema
        The columns that a row must have, with the formats of their text.
    learner : str
        The name of the learner.
    fitted : str
        ``module:Class`` of its parameters; one that `groundup.models.catalogue` knows.
    deployment : mapping
        The recipe's section `deployment`, as JSON.
    digests : mapping of str to str
        Path inside the package → SHA-256 of the file, for every file but the manifest's own two.
    card : mapping
        What a reader wants to know about the model (JSON values); no part of its identity.
    created_with : str
        The version of groundup that wrote it.
    versions : mapping of str to str
        Versions of Python and of the libraries that took part.
    """

    task: str
    target: str
    classes: tuple[str | int | float | bool, ...]
    positive: str | int | float | bool | None
    schema: Schema
    learner: str
    fitted: str
    deployment: Mapping[str, Any]
    digests: Mapping[str, str]
    card: Mapping[str, Any] = field(default_factory=dict)
    created_with: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The model's identity: SHA-256 over what decides its predictions.

        The digests of all files and what the manifest says of inputs, outputs and weights; not when,
        where and with which versions it was made, nor its card. Equal models have equal digests.
        """
        identity = {key: value for key, value in self._body().items() if key not in _NOT_THE_MODEL}
        text = json.dumps(identity, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return the document, its digest included."""
        return {"format": FORMAT, "format_version": FORMAT_VERSION, "digest": self.digest, **self._body()}

    def _body(self) -> dict[str, Any]:
        return {
            "created_with": self.created_with,
            "task": self.task,
            "target": self.target,
            "classes": list(self.classes),
            "positive": self.positive,
            "inputs": self.schema.to_json(),
            "outputs": self._outputs(),
            "learner": self.learner,
            "fitted": self.fitted,
            "deployment": dict(self.deployment),
            "digests": dict(sorted(self.digests.items())),
            "versions": dict(self.versions),
            "card": dict(self.card),
        }

    def _outputs(self) -> list[dict[str, Any]]:
        """Return what `predict` and `predict_proba` answer, or `generate`, for readers of the file."""
        if self.task == GENERATION:
            return [{"name": self.target, "type": "text"}]
        if self.task == "regression":
            return [{"name": self.target, "type": "float"}]
        probabilities = [{"name": str(label), "type": "probability"} for label in self.classes]
        return [{"name": self.target, "type": "class", "values": list(self.classes)}, *probabilities]

    @classmethod
    def from_json(cls, document: object) -> "Manifest":
        """Return the manifest that `to_json` described.

        Raises
        ------
        PackageError
            If it is no such document, of a later version, or does not fit together.
        """
        body = _checked(document)
        try:
            schema = Schema.from_json(body["inputs"])
        except (TypeError, AttributeError, ValueError) as error:
            raise _misfit("`inputs` is not a list of columns") from error
        manifest = cls(
            task=body["task"],
            target=body["target"],
            classes=tuple(body["classes"]),
            positive=body["positive"],
            schema=schema,
            learner=body["learner"],
            fitted=body["fitted"],
            deployment=body["deployment"],
            digests=_checked_digests(body["digests"]),
            card=body["card"],
            created_with=body["created_with"],
            versions=body["versions"],
        )
        if manifest.digest != body["digest"]:
            raise _misfit("`digest` is not that of its contents")
        return manifest


def _checked(document: object) -> Mapping[str, Any]:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise PackageError(f'`manifest.json` is not of a groundup model: its `format` is not "{FORMAT}".')
    version = document.get("format_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise _misfit(f"`format_version` is `{version}`, not a whole number from 1")
    if version > FORMAT_VERSION:
        raise PackageError(
            f"The model was written by a newer groundup ({document.get('created_with', 'unknown')}): its "
            f"`format_version` is `{version}`, and this one reads up to {FORMAT_VERSION}. "
            "Run: pip install --upgrade groundup"
        )
    for key, kind in _MUST_HAVE.items():
        if key not in document or not isinstance(document[key], kind):
            raise _misfit(f"`{key}` is missing or of the wrong type")
    return document


def _checked_digests(digests: Mapping[str, Any]) -> Mapping[str, str]:
    """Refuse paths that are not plainly inside the package, and digests that are none."""
    for name, digest in digests.items():
        path = PurePosixPath(name)
        if not name or path.is_absolute() or ".." in path.parts or "\\" in name or str(path) != name:
            raise _misfit(f"it lists `{name}`, which is not a path inside the model folder")
        if not isinstance(digest, str) or len(digest) != 64:
            raise _misfit(f"the digest of `{name}` is not a SHA-256")
    return digests


def _misfit(what: str) -> PackageError:
    return PackageError(
        f"`manifest.json` does not fit together: {what}. It was edited or written by another program; "
        "take the model from its run again."
    )
