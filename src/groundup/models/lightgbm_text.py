"""LightGBM's text model, checked before LightGBM's parser may see it.

The parser trusts its input: a wrong index in the text makes it read outside its arrays, and a word
where a number should be ends the process. So everything it will read from the trees is checked first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import PackageError
from groundup.core.inputs import FloatArray, IntArray
from groundup.models.booster_summary import ModelSummary

_VERSIONS: Final = (b"v3", b"v4")
_END: Final = b"end of trees"

_Fields: TypeAlias = Mapping[bytes, bytes]


def check_text(text: bytes) -> ModelSummary:
    """Check the structure of a LightGBM text model and return its sizes.

    Parameters
    ----------
    text : bytes
        The model; everything after its trees is ignored.

    Returns
    -------
    ModelSummary
        Its sizes.

    Raises
    ------
    PackageError
        If the text is not a model that can be given to LightGBM's parser without harm.

    Examples
    --------
    >>> check_text(b"something else")
    Traceback (most recent call last):
        ...
    groundup.core.errors.PackageError: This is not a model that LightGBM wrote: its first line is not `tree`.
    """
    try:
        return _checked(text)
    except (KeyError, ValueError, OverflowError) as error:
        raise PackageError(f"This LightGBM model is damaged: {error!r}. Train the model again.") from error


def without_parameters(text: bytes) -> bytes:
    r"""Return the text without the settings and statistics after its trees, which predictions do not use.

    They hold the number of threads, and so would make equal models differ.

    Examples
    --------
    >>> without_parameters(b"tree ... end of trees and more")
    b'tree ... end of trees\n'
    """
    end = text.rindex(_END) + len(_END)
    return text[:end] + b"\n"


def _checked(text: bytes) -> ModelSummary:
    if not text.startswith(b"tree\n"):
        raise PackageError("This is not a model that LightGBM wrote: its first line is not `tree`.")
    header_end = text.index(b"\n\n") + 2
    header = _fields(text[len(b"tree\n") : header_end - 2].split(b"\n"))
    _require(header[b"version"] in _VERSIONS, f"its version `{header[b'version'].decode()}` is not v3 or v4")
    n_features = int(header[b"max_feature_idx"]) + 1
    n_outputs = int(header[b"num_tree_per_iteration"])
    sizes = [int(size) for size in header[b"tree_sizes"].split()]
    _require(
        len(header[b"feature_names"].split(b" ")) == n_features, "its number of features contradicts itself"
    )
    _require(
        len(header[b"feature_infos"].split(b" ")) == n_features, "its number of features contradicts itself"
    )
    _require(n_outputs == int(header[b"num_class"]) > 0, "its number of classes contradicts itself")
    _require(
        len(sizes) > 0 and len(sizes) % n_outputs == 0 and min(sizes) > 0, "its number of trees is wrong"
    )
    _require(text.startswith(_END + b"\n", header_end + sum(sizes)), "its trees are not as long as it says")
    trees, start = [], header_end
    for position, size in enumerate(sizes):
        # Where LightGBM's reader meets an empty line, it takes the tree to be complete.
        tree, _, rest = text[start : start + size].partition(b"\n\n")
        _require(rest == b"\n", f"tree {position} does not end where it says")
        lines = tree.split(b"\n")
        _require(lines[0] == b"Tree=%d" % position, f"tree {position} does not start where it says")
        trees.append(_fields(lines[1:]))
        start += size
    _check_trees(trees, n_features)
    return ModelSummary(n_features, n_outputs, len(sizes))


def _check_trees(trees: Sequence[_Fields], n_features: int) -> None:
    """Check that all values are numbers, are as many as they must be, and point where they may."""
    n_leaves = _integers(trees, b"num_leaves")
    n_nodes = n_leaves - 1
    _require(len(n_leaves) == len(trees) and bool((n_leaves >= 1).all()), "a tree has no leaf")
    _require(all(tree[b"is_linear"] == b"0" for tree in trees), "linear trees are not supported")
    for name in (b"leaf_value", b"leaf_weight", b"leaf_count"):
        _require_counts(trees, name, n_leaves)
        _floats(trees, name)
    for name in (b"threshold", b"split_gain", b"internal_value", b"internal_weight", b"internal_count"):
        _require_counts(trees, name, n_nodes)
        _floats(trees, name)
    for name in (b"decision_type", b"split_feature", b"left_child", b"right_child"):
        _require_counts(trees, name, n_nodes)
    _floats(trees, b"shrinkage")

    # A child is a later node of the same tree, or the complement of one of its leaves: no cycles.
    first_node = np.repeat(np.cumsum(n_nodes) - n_nodes, n_nodes)
    node = np.arange(n_nodes.sum()) - first_node
    for name in (b"left_child", b"right_child"):
        child = _integers(trees, name)
        is_node = (child > node) & (child < np.repeat(n_nodes, n_nodes))
        is_leaf = (child < 0) & (~child < np.repeat(n_leaves, n_nodes))
        _require(bool((is_node | is_leaf).all()), "a branch leads nowhere")
    feature = _integers(trees, b"split_feature")
    is_known = (feature >= 0) & (feature < n_features)
    _require(bool(is_known.all()), "a tree asks for a feature that does not exist")
    for tree in trees:
        _check_categories(tree)


def _check_categories(tree: _Fields) -> None:
    """Check the sets of categories of one tree, and the nodes that refer to them."""
    if tree[b"num_cat"] == b"0" and not (_integers([tree], b"decision_type") & 1).any():
        return
    n_sets = int(_integers([tree], b"num_cat")[0])
    chosen = _floats([tree], b"threshold")[_integers([tree], b"decision_type") & 1 == 1]
    is_listed = bool(np.isin(chosen, np.arange(max(0, n_sets))).all())
    _require(is_listed, "a tree asks for categories that it does not list")
    bounds, words = _integers([tree], b"cat_boundaries"), _integers([tree], b"cat_threshold")
    is_whole = len(bounds) == n_sets + 1 and bounds[0] == 0 and bounds[-1] == len(words)
    is_sound = is_whole and bool((np.diff(bounds) > 0).all() and (words >= 0).all())
    _require(is_sound, "a tree's list of categories is damaged")


def _fields(lines: Iterable[bytes]) -> dict[bytes, bytes]:
    pairs = [line.partition(b"=") for line in lines]
    fields = {key: value for key, equals, value in pairs if key and equals}
    _require(len(fields) == len(pairs), "a line is no `key=value`, or a key stands there twice")
    return fields


def _integers(trees: Sequence[_Fields], name: bytes) -> IntArray:
    numbers = _numbers(trees, name, b"0123456789- ").astype(np.int64)
    _require(bool((np.abs(numbers) < 2**32).all()), f"`{name.decode()}` holds a number that is too large")
    return numbers


def _floats(trees: Sequence[_Fields], name: bytes) -> FloatArray:
    return _numbers(trees, name, b"0123456789+-.e infa").astype(np.float64)


def _numbers(trees: Sequence[_Fields], name: bytes, alphabet: bytes) -> NDArray[np.bytes_]:
    """Return the values of one line of all trees, split as LightGBM will split them."""
    text = b" ".join([tree[name] for tree in trees if tree[name]])
    is_strict = not text.translate(None, alphabet) and b"  " not in text and text.strip(b" ") == text
    _require(is_strict, f"`{name.decode()}` holds something that is no number")
    return np.array(text.split(b" ") if text else [], dtype=np.bytes_)


def _require_counts(trees: Sequence[_Fields], name: bytes, counts: IntArray) -> None:
    found = [tree[name].count(b" ") + 1 if tree[name] else 0 for tree in trees]
    _require(found == counts.tolist(), f"`{name.decode()}` has too many or too few values")


def _require(is_right: bool, complaint: str) -> None:
    if not is_right:
        raise PackageError(f"This LightGBM model is damaged: {complaint}. Train the model again.")
