"""A decision tree, fitted by scikit-learn, and how its trees are read out as arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from groundup.core.errors import TrainingError
from groundup.core.inputs import FloatArray, Inputs, IntArray, Needs
from groundup.core.tasks import Task
from groundup.models.contract import FitContext, Learner, Range, SearchSpace
from groundup.models.pruning import GrownTree, best_strength, node_losses, pruned
from groundup.models.tree_arrays import Trees
from groundup.models.trees_fitted import Combination, FittedTrees

FITTED_TREES: Final = "groundup.models.trees_fitted:FittedTrees"
_N_IMPORTANCES: Final = 50
_LARGEST: Final = float(np.finfo(np.float32).max)


class DecisionTree(Learner):
    """One tree of yes/no questions about the inputs."""

    title: ClassVar[str] = "decision tree"
    idea: ClassVar[str] = (
        "Asks one yes/no question after another; answers with the training rows that answered alike."
    )
    reference: ClassVar[str] = (
        "Breiman, Friedman, Olshen and Stone (1984), Classification and regression trees; "
        "Provost and Domingos (2003), Tree induction for probability-based ranking, Machine Learning"
    )
    optimizer: ClassVar[str] = "greedy: each question is the one that makes its two groups purest."
    tasks: ClassVar[tuple[Task, ...]] = ("classification", "regression")
    weighted: ClassVar[bool] = True
    fitted: ClassVar[str] = FITTED_TREES
    libraries: ClassVar[tuple[str, ...]] = ("sklearn.tree",)

    max_depth: int | None = Field(default=None, ge=1)
    """Questions in a row at most; null: no limit."""
    min_samples_leaf: int = Field(default=5, ge=1)
    """Training rows that must stand behind an answer."""
    max_leaf_nodes: int | None = Field(default=None, ge=2)
    """Answers at most; null: no limit."""
    ccp_alpha: Annotated[float, Field(ge=0)] | Literal["auto"] = "auto"
    """Pruning: the least gain in purity a question must bring for each answer it adds; 0: none; `auto`:
    what gives the validation rows the lowest loss, 0 without them."""
    smoothing: float = Field(default=1.0, ge=0)
    """Rows' worth of the overall class frequencies added to each answer, so that no class that occurs
    gets probability 0; 0: the plain frequencies. Not used in regression."""

    def needs(self) -> Needs:
        """Return that numbers may be missing and stay unscaled, and categories come one-hot."""
        return Needs(scaled=False, categories="one_hot", missing=True)

    def search_space(self) -> SearchSpace:
        """Return the ranges worth trying."""
        return {
            "min_samples_leaf": Range(1, 200, log=True, integer=True),
        }

    def fit(self, train: Inputs, validation: Inputs | None, context: FitContext) -> FittedTrees:
        """Grow the tree from its root; `validation` chooses how much is pruned."""
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        estimator = (DecisionTreeClassifier if context.n_classes else DecisionTreeRegressor)(
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            max_leaf_nodes=self.max_leaf_nodes,
            random_state=context.seed,
        )
        fit_estimator(estimator.fit, single_precision(train.X), target_of(train, context), train.weight)
        tree = GrownTree.of(estimator.tree_)
        said = self._said(tree, train, context)
        strength: float | str = self.ccp_alpha
        facts: dict[str, Any] = {"learner": self.title}
        if strength == "auto":
            strength, reason = self._chosen(estimator, tree, said, train, validation, context)
            facts |= {"chosen": {"ccp_alpha": strength}, "chosen_by": reason}
        kept = pruned(tree, float(strength))
        facts["importance"] = importance(kept.gains(train.X.shape[1]), train.feature_names)
        leaves = self._said(kept, train, context)[kept.children_left < 0]
        return FittedTrees(
            trees_of([kept], [leaves]), mean_of(1, train, context), n_features=train.X.shape[1], facts=facts
        )

    def _said(self, tree: GrownTree, train: Inputs, context: FitContext) -> FloatArray:
        """Return what every node would say as a leaf, shape (n_nodes, n_outputs)."""
        values = tree.value[:, 0, :]
        if not context.n_classes or not self.smoothing:
            return values
        _, shares = class_shares(train)
        n_rows = tree.weighted_n_node_samples[:, None]
        return np.asarray((values * n_rows + self.smoothing * shares) / (n_rows + self.smoothing))

    def _chosen(
        self,
        estimator: Any,
        tree: GrownTree,
        said: FloatArray,
        train: Inputs,
        validation: Inputs | None,
        context: FitContext,
    ) -> tuple[float, str]:
        """Return how much to prune, and how that was chosen."""
        known = None if validation is None else rows_of_known_classes(train, validation, context)
        if known is None:
            return 0.0, "no validation rows"
        y = np.searchsorted(class_shares(train)[0], known.y) if context.n_classes else known.y
        leaves = estimator.tree_.apply(single_precision(known.X))
        losses = node_losses(tree, said, leaves, y, known.weight_or_one)
        return best_strength(tree, losses), "lowest loss on the validation rows"


def rows_of_known_classes(train: Inputs, validation: Inputs, context: FitContext) -> Inputs | None:
    """Return the validation rows whose class training has seen, None where there are none."""
    if not context.n_classes:
        return validation
    is_known = np.isin(validation.y, train.y)
    if is_known.all():
        return validation
    return validation.take(np.flatnonzero(is_known)) if is_known.any() else None


def single_precision(X: FloatArray) -> NDArray[np.float32]:
    """Return `X` as scikit-learn's trees store it; what is too large becomes the largest number there is."""
    return np.clip(X, -_LARGEST, _LARGEST).astype(np.float32)


def target_of(train: Inputs, context: FitContext) -> NDArray[Any]:
    """Return the target as class codes or as numbers of 64 bits."""
    return train.y.astype(np.int64 if context.n_classes else np.float64)


def fit_estimator(fit: Callable[..., Any], *arguments: Any) -> None:
    """Call a scikit-learn estimator's `fit`; what it refuses is a TrainingError."""
    try:
        # Its check for numbers that are not finite adds up all of them, which may overflow.
        with np.errstate(all="ignore"):
            fit(*arguments)
    except ValueError as error:
        raise TrainingError(
            f"scikit-learn could not fit the trees: {error} "
            "Look for extreme values in the inputs and the target."
        ) from error


def class_shares(train: Inputs) -> tuple[IntArray, FloatArray]:
    """Return the classes that occur and the share of the rows each has, by their weights."""
    present, codes = np.unique(train.y.astype(np.int64), return_inverse=True)
    counts = np.bincount(codes, train.weight)
    return present, counts / counts.sum()


def mean_of(n_trees: int, train: Inputs, context: FitContext, *, smoothing: float = 0.0) -> Combination:
    """Return the mean over trees; `smoothing` counts as so many more trees that say the class frequencies."""
    if not context.n_classes:
        return Combination((0.0,), divisor=float(n_trees))
    present, shares = class_shares(train)
    return Combination(
        tuple((smoothing * shares).tolist()),
        divisor=n_trees + smoothing,
        n_classes=context.n_classes,
        present=tuple(present.tolist()),
    )


def leaf_values(tree: Any) -> FloatArray:
    """Return what the leaves of a scikit-learn tree say, shape (n_leaves, n_outputs)."""
    return np.asarray(tree.value[:, 0, :].take(np.flatnonzero(tree.children_left < 0), axis=0))


def trees_of(
    estimators: Sequence[Any], values: Callable[[Any], FloatArray] | Sequence[FloatArray] = leaf_values
) -> Trees:
    """Return scikit-learn's trees as arrays that take inputs of 64 bits as they are.

    scikit-learn's trees round inputs to 32 bits before they compare them; here the rounding goes into
    the thresholds.

    Parameters
    ----------
    estimators : sequence
        Fitted trees.
    values : callable or sequence of ndarray
        What the leaves say: a function from ``tree_``, or one array of shape (n_leaves, width) a tree.
    """
    read_out = [estimator.tree_ for estimator in estimators]
    n_inner = [tree.node_count // 2 for tree in read_out]  # a tree has one leaf more than inner nodes
    ends = np.cumsum(n_inner).tolist()
    trees = Trees(
        roots=np.empty(len(read_out), dtype=np.int32),
        children=np.empty((ends[-1], 2), dtype=np.int32),
        feature=np.empty(ends[-1], dtype=np.int32),
        threshold=np.empty(ends[-1]),
        missing_is_yes=np.empty(ends[-1], dtype=np.uint8),
        leaves=np.concatenate([values(tree) for tree in read_out] if callable(values) else list(values)),
        covers=np.empty(ends[-1] + len(read_out), dtype=np.float32),
    )
    # One tree at a time, each array written once: a forest's nodes are more than the caches hold.
    for number, (tree, size, end) in enumerate(zip(read_out, n_inner, ends, strict=True)):
        is_inner = tree.children_left >= 0
        inner, leaves, place = np.flatnonzero(is_inner), np.flatnonzero(~is_inner), slice(end - size, end)
        reference = np.empty(tree.node_count, dtype=np.int32)
        reference[inner] = np.arange(end - size, end)
        reference[leaves] = ~np.arange(end - size + number, end + number + 1)
        trees.roots[number] = reference[0]
        trees.children[place, 0] = reference.take(tree.children_left.take(inner))
        trees.children[place, 1] = reference.take(tree.children_right.take(inner))
        trees.feature[place] = tree.feature.take(inner)
        trees.threshold[place] = widened(tree.threshold.take(inner))
        trees.missing_is_yes[place] = tree.missing_go_to_left.take(inner)
        trees.covers[end - size + number : end + number + 1] = tree.weighted_n_node_samples.take(leaves)
    return trees


def widened(thresholds: FloatArray) -> FloatArray:
    """Return for each threshold the largest number of 64 bits that is at most it once rounded to 32 bits.

    Examples
    --------
    >>> threshold = widened(np.array([0.5]))
    >>> float(np.float32(threshold[0])), float(np.float32(np.nextafter(threshold[0], 1))) > 0.5
    (0.5, True)
    """
    with np.errstate(over="ignore"):
        nearest = np.minimum(thresholds.astype(np.float32), np.float32(_LARGEST))
    place = _place(nearest) - (nearest > thresholds)  # of the largest number of 32 bits that is at most it
    # Numbers up to the middle between two neighbours round down, the middle itself to the even one.
    middle = (_at(place).astype(np.float64) + _at(place + 1)) / 2
    bits = middle.view(np.int64)
    is_next_lower = (place & 1).astype(bool) & np.isfinite(middle)
    bits -= is_next_lower * ((bits >> 63) | 1)  # np.nextafter(middle, -np.inf), ten times as fast
    return middle


def _place(numbers: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return where numbers stand in the row of all numbers of 32 bits, 0 for zero."""
    bits = numbers.view(np.int32)
    sign = bits >> 31
    return ((bits & 0x7FFFFFFF) ^ sign) - sign


def _at(place: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the numbers of 32 bits that stand at `place`."""
    sign = place >> 31
    return np.asarray(((place ^ sign) - sign) | (sign << 31)).view(np.float32)


def importance(gains: FloatArray, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return each feature's share of what the questions gained, largest first."""
    shares = np.asarray(gains, dtype=np.float64)
    shares = shares / max(float(shares.sum()), np.finfo(float).tiny)
    order = np.argsort(-shares, kind="stable")[:_N_IMPORTANCES].tolist()
    labels = names or tuple(f"feature {position}" for position in range(len(shares)))
    return [
        {"feature": labels[each], "share": float(f"{shares[each]:.6g}")} for each in order if shares[each] > 0
    ]
