"""Signals: what the rules look at, gathered once by the lifecycle and shared by all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from groundup.core.json import Json
from groundup.core.schema import Schema
from groundup.core.tasks import Task
from groundup.evaluation.availability import Availability
from groundup.evaluation.giveaways import Giveaways

Verdict: TypeAlias = Literal["overfits", "underfits", "fits", "undecided"]


class Span(NamedTuple):
    """An estimate with the two ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class DoubtfulTargets:
    """Targets that are probably wrong, found from out-of-fold predictions.

    Parameters
    ----------
    n_rows : int
        Training and validation rows that were looked at.
    n_doubtful : int
        Rows whose target is doubtful.
    share : Span or None
        Estimated share of wrong labels; None for numbers.
    stands_out : bool
        Whether wrong targets are the best explanation.
    rows : tuple of (int, value, value)
        The most doubtful, first: position in the source's rows that have a target (from 0), the given
        target, and the likely one.
    one_sided : value or None
        The class among whose likely rows alone labels look wrong; None where they do on all sides.
    """

    n_rows: int
    n_doubtful: int
    share: Span | None
    stands_out: bool
    rows: tuple[tuple[int, Json, Json], ...] = ()
    one_sided: Json = None


@dataclass(frozen=True)
class UseSignals:
    """What comparing new rows with the training rows found out.

    Parameters
    ----------
    n_rows : int
        New rows.
    columns : sequence of mapping
        One a column, as `groundup.monitoring.mismatch.count_mismatches` says; empty where the training
        rows are not known.
    """

    n_rows: int
    columns: Sequence[Mapping[str, Any]] = ()


NO_PROFILE: Final[tuple[Mapping[str, Any], ...]] = ()


@dataclass(frozen=True)
class DataSignals:
    """What reading, splitting and profiling found out about the data.

    Parameters
    ----------
    schema : Schema
        What each column is; the target included.
    target : str
        The column to predict.
    task : Task
        What is asked for.
    features : tuple of str
        The columns offered to the preparation, without those that the recipe itself drops.
    profile : sequence of mapping
        Statistics of the training rows, one mapping a column (`groundup.data.profile.profile`);
        the rules read ``name``, ``n``, ``n_missing`` and ``n_unique``.
    n_rows_read : int
        Rows that the source has.
    n_rows_without_target : int
        Rows of these in which the target is missing.
    n_train, n_validation, n_test : int
        Rows of each part.
    class_counts : mapping
        Rows of each class in the training part, in the order of the classes; empty for regression.
    giveaways : Giveaways or None
        What single columns say about the target; None where that could not be compared.
    availability : Availability or None
        What time says of columns; None where no column orders the rows.
    dominant : sequence of (str, value, int, int)
        Features with one value in nearly all training rows: name, value, rows with it, rows with any.
    forced_identifiers : mapping of str to str
        Features that look like identifiers though the recipe says they are something else → why.
    population : mapping
        Whom the training rows represent, as `groundup.evaluation.representation.compare_shares` says;
        ``not_applicable`` where no population is stated.
    sliced : tuple of str
        Columns by which the test part will be measured part by part.

    Examples
    --------
    >>> from groundup.core.schema import Column
    >>> schema = Schema([Column("rooms", "number", "integer"), Column("price", "number", "float")])
    >>> signals = DataSignals(schema, "price", "regression", features=("rooms",), n_rows_read=100)
    >>> signals.n_features
    1
    """

    schema: Schema
    target: str
    task: Task
    features: tuple[str, ...] = ()
    profile: Sequence[Mapping[str, Any]] = NO_PROFILE
    n_rows_read: int = 0
    n_rows_without_target: int = 0
    n_train: int = 0
    n_validation: int = 0
    n_test: int = 0
    class_counts: Mapping[str, int] = field(default_factory=dict)
    giveaways: Giveaways | None = None
    availability: Availability | None = None
    dominant: Sequence[tuple[str, object, int, int]] = ()
    forced_identifiers: Mapping[str, str] = field(default_factory=dict)
    population: Mapping[str, Any] = field(default_factory=dict)
    sliced: tuple[str, ...] = ()

    @property
    def n_features(self) -> int:
        """How many columns are offered to the preparation."""
        return len(self.features)

    def feature_profiles(self) -> list[Mapping[str, Any]]:
        """Return the statistics of the features, in their order in the table."""
        features = set(self.features)
        return [column for column in self.profile if column["name"] in features]


@dataclass(frozen=True)
class FitSignals:
    """What comparing, fitting and evaluating found out about the chosen model.

    Parameters
    ----------
    task : Task
        What is asked for.
    learner : str
        The name of the chosen learner.
    candidates : tuple of str
        The learners that were compared, the baseline included.
    hyperparameters : mapping
        The chosen learner's hyperparameters, every default filled in; an `auto` that ``chosen`` in
        `facts` replaces may stay.
    verdict : {"overfits", "underfits", "fits", "undecided"}
        What `groundup.evaluation.fit_verdict.judge_fit` said.
    sentence : str
        Why it said so, with the numbers.
    gap : Span or None
        Mean loss per row on rows held out minus on rows fitted.
    slope : Span or None
        How much the held-out loss would fall with twice the rows; positive: it falls.
    outlook : {"helps", "little", "enough", "unclear", ""}
        Whether that is told for sure; "" where no learning curve was drawn.
    improvement : Span or None
        Mean over the test rows of the baseline's loss minus the model's; positive: the model is better.
    loss : str
        What the three spans are measured in, for the messages: "log loss", "squared error".
    facts : mapping
        What the fitted learner says of its training (`Fitted.facts`); the rules read ``converged``,
        ``chosen``, ``best_round``, ``n_rounds``, ``stopped`` and ``curve`` where they are there.
    n_train : int
        Rows the final model was fitted on.
    loss_ratio : float or None
        Mean out-of-fold loss as a share of the baseline's; None where no rows were held out.
    doubtful : DoubtfulTargets or None
        Which targets look wrong; None where the model cannot judge that.
    target : str
        The column to predict, for the messages.
    n_features : int
        How many columns are offered to the preparation.
    metric : str
        The metric that decides.
    shifted_by : str
        What made the classes count otherwise than they are frequent: "class weights" or "resampling"; empty
        where nothing did, or the probabilities were calibrated.
    n_classes : int
        0 for regression.
    slices : mapping
        What `groundup.evaluation.slices.measure_slices` found; empty where no column was named.
    """

    task: Task
    learner: str
    candidates: tuple[str, ...] = ()
    hyperparameters: Mapping[str, Json] = field(default_factory=dict)
    verdict: Verdict = "undecided"
    sentence: str = ""
    gap: Span | None = None
    slope: Span | None = None
    outlook: str = ""
    improvement: Span | None = None
    loss: str = "loss"
    facts: Mapping[str, Any] = field(default_factory=dict)
    n_train: int = 0
    loss_ratio: float | None = None
    doubtful: DoubtfulTargets | None = None
    target: str = "target"
    n_features: int = 0
    metric: str = ""
    shifted_by: str = ""
    n_classes: int = 0
    slices: Mapping[str, Any] = field(default_factory=dict)

    @property
    def used(self) -> Mapping[str, Any]:
        """The hyperparameters with every `auto` that the learner resolved replaced by what it used."""
        return {**self.hyperparameters, **self.facts.get("chosen", {})}
