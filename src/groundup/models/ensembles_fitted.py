"""A fitted ensemble: other fitted learners, averaged or handed to one that has the last word."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from groundup.core.errors import NotExplainedError, PackageError
from groundup.core.files import write_json
from groundup.core.inputs import Contributions, FloatArray, Inputs, Predictions, Scale
from groundup.models.catalogue import load_fitted
from groundup.models.contract import Fitted
from groundup.models.contributions import explain
from groundup.models.facts import facts_to_save
from groundup.models.linear_fitted import FittedLinear

_STATE: Final = "learner.json"


@dataclass(frozen=True)
class Member:
    """A fitted learner with the ``module:Class`` that loads it again."""

    reference: str
    fitted: Fitted


class FittedEnsemble:
    """The mean of the members' predictions, or what `final` makes of them.

    Parameters
    ----------
    members : sequence of Member
        At least one; all see the same inputs.
    final : Member or None
        Sees what the members say (see `stacked`) instead of the inputs.
    is_classifier : bool
        Whether predictions are class probabilities.
    facts : mapping
        What `facts` returns besides the members.
    """

    def __init__(
        self,
        members: Sequence[Member],
        final: Member | None = None,
        *,
        is_classifier: bool,
        facts: Mapping[str, Any],
    ) -> None:
        self.members, self.final, self.is_classifier = tuple(members), final, is_classifier
        self._facts = dict(facts)

    def predict(self, inputs: Inputs) -> Predictions:
        """Return predictions for every row of `inputs`."""
        said = [member.fitted.predict(inputs) for member in self.members]
        if self.final is not None:
            return self.final.fitted.predict(Inputs({"X": stacked(said)}))
        total = outputs_of(said[0]).copy()
        for each in said[1:]:
            total += outputs_of(each)
        total /= len(said)
        if not self.is_classifier:
            return Predictions(total)
        return Predictions(np.argmax(total, axis=1).astype(np.int64), total)

    def predict_row(self, values: Sequence[float]) -> float | list[float]:
        """Return one row's value or class probabilities; within 1e-12 of `predict`."""
        said = [member.fitted.predict_row(values) for member in self.members]
        if self.final is not None:
            return self.final.fitted.predict_row(_stacked_row(said))
        if not self.is_classifier:
            return sum(said) / len(said)  # type: ignore[arg-type]
        return [sum(each) / len(said) for each in zip(*said, strict=True)]

    def contributions(self, inputs: Inputs) -> Contributions:
        """Return the mean of the members' contributions, or their sum weighted by a linear `final`.

        Raises
        ------
        NotExplainedError
            If a member does not explain itself, or not on the scale of what is averaged; or if what has
            the last word is not linear.
        """
        scale: Scale = "probability" if self.is_classifier else "value"
        final = None if self.final is None else self.final.fitted
        if final is not None and not isinstance(final, FittedLinear):
            raise NotExplainedError(
                f"`{final.facts().get('learner')}` has the last word and is not linear, so there "
                "are no contributions. Permutation importance, in the report, says what the model uses."
            )
        parts = [explain(member.fitted, inputs) for member in self.members]
        for member, part in zip(self.members, parts, strict=True):
            if part.scale != scale:
                raise NotExplainedError(
                    "Probabilities are combined, and those of the member "
                    f"`{member.fitted.facts().get('learner')}` are no sum over the columns (its "
                    f"{part.scale.replace('_', '-')} is), so there are no contributions. Permutation "
                    "importance, in the report, says what the model uses."
                )
        if final is not None:
            # As in `stacked`: of several classes all but the first.
            columns = [each.values[..., 1:] if each.values.shape[2] > 1 else each.values for each in parts]
            return final.through(np.concatenate(columns, axis=2))
        total = parts[0].values.copy()
        for each in parts[1:]:
            total += each.values
        return Contributions(total / len(parts), scale)

    def facts(self) -> dict[str, Any]:
        """Return the members with how their fits went."""
        parts = [member for _, member in self._parts()]
        return {**self._facts, "members": [_brief(part.fitted.facts()) for part in parts]}

    def save(self, folder: Path) -> None:
        """Write ``learner.json`` and a folder for each member, ``member-001`` and on, and ``final``."""
        for name, member in self._parts():
            (folder / name).mkdir()
            member.fitted.save(folder / name)
        state = {
            "is_classifier": self.is_classifier,
            "members": [member.reference for member in self.members],
            "final": None if self.final is None else self.final.reference,
            "facts": self.facts(),
        }
        write_json(folder / _STATE, state)

    def _parts(self) -> list[tuple[str, Member]]:
        parts = [(_folder(number), member) for number, member in enumerate(self.members, 1)]
        return parts if self.final is None else [*parts, ("final", self.final)]

    @classmethod
    def load(cls, folder: Path) -> FittedEnsemble:
        """Return what `save` wrote.

        Raises
        ------
        PackageError
            If the files are not what `save` writes.
        """
        try:
            state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
            references = [str(reference) for reference in state["members"]]
            final = None if state["final"] is None else str(state["final"])
            is_classifier, facts = bool(state["is_classifier"]), dict(state["facts"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PackageError(f"`{folder}` does not hold an ensemble: {error!r}.") from error
        if not references:
            raise PackageError(f"`{folder}` holds an ensemble without members. Train the model again.")
        members = [
            Member(reference, load_fitted(reference, folder / _folder(number)))
            for number, reference in enumerate(references, 1)
        ]
        last = None if final is None else Member(final, load_fitted(final, folder / "final"))
        return cls(members, last, is_classifier=is_classifier, facts=facts)


def _brief(facts: dict[str, Any]) -> dict[str, Any]:
    """Return what a report of the whole says about a part: no curves."""
    return {name: value for name, value in facts_to_save(facts).items() if name != "curve"}


def outputs_of(predictions: Predictions) -> FloatArray:
    """Return the probabilities (n_samples, n_classes), or the values (n_samples,)."""
    if predictions.probabilities is not None:
        return predictions.probabilities
    return predictions.values.astype(np.float64)


def stacked(said: Sequence[Predictions]) -> FloatArray:
    """Return what the members say as inputs for the final learner, (n_samples, n_columns).

    The value of each member; of probabilities all but the first class's, which follows from the others.
    """
    columns = [outputs_of(each) for each in said]
    return np.column_stack([each if each.ndim == 1 else each[:, 1:] for each in columns])


def _stacked_row(said: Sequence[float | list[float]]) -> list[float]:
    row: list[float] = []
    for each in said:
        row += each[1:] if isinstance(each, list) else [each]
    return row


def _folder(number: int) -> str:
    return f"member-{number:03d}"
