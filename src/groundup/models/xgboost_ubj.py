"""XGBoost's binary model (UBJSON), checked before XGBoost's reader may see it.

The reader trusts its input: a length beyond the end, a branch to a node that is not there or a list of
categories that is too short makes it read outside its memory. So the structure is read strictly, as XGBoost
writes it, and everything that leads somewhere is checked.

Reference: https://ubjson.org (draft 12); of its types those that XGBoost writes.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from groundup.core.errors import PackageError
from groundup.models.booster_summary import ModelSummary

_DEEPEST: Final = 12
_LENGTH: Final = struct.Struct(">q")
_INTEGERS: Final = {
    ord(code): struct.Struct(layout)
    for code, layout in {"U": ">B", "i": ">b", "I": ">h", "l": ">i", "L": ">q"}.items()
}
_TYPES: Final = {
    ord(code): np.dtype(name)
    for code, name in {
        "U": "u1",
        "i": "i1",
        "I": ">i2",
        "l": ">i4",
        "L": ">i8",
        "d": ">f4",
        "D": ">f8",
    }.items()
}
_ROOT_PARENT: Final = 2**31 - 1
_MOST_CATEGORY_BITS: Final = (
    2**31
)  # all questions together: XGBoost keeps a bit for every code up to the largest
_NO_TREE: Final = "a tree does not have the fields that it must have"
_NO_LIST: Final = "a tree's list of categories is damaged"
_OBJECTIVES: Final = re.compile(r"(reg|binary|multi|count):[a-z0-9]+")

_TREE_FIELDS: Final = {  # in XGBoost's order
    "base_weights": "d",
    "categories": "l",
    "categories_nodes": "l",
    "categories_segments": "L",
    "categories_sizes": "L",
    "default_left": "U",
    "id": "",
    "left_children": "l",
    "loss_changes": "d",
    "parents": "l",
    "right_children": "l",
    "split_conditions": "d",
    "split_indices": "l",
    "split_type": "U",
    "sum_hessian": "d",
}
_OF_CATEGORIES: Final = ("categories", "categories_nodes", "categories_segments", "categories_sizes")
_OF_NODES: Final = tuple(name for name in _TREE_FIELDS if name not in (*_OF_CATEGORIES, "id"))


def check_model(content: bytes) -> ModelSummary:
    """Check a model that XGBoost wrote as UBJSON and return its sizes.

    Parameters
    ----------
    content : bytes
        The whole model.

    Returns
    -------
    ModelSummary
        Its sizes.

    Raises
    ------
    PackageError
        If it is not a model that can be given to XGBoost's reader without harm.

    Examples
    --------
    >>> check_model(b"something else")
    Traceback (most recent call last):
        ...
    groundup.core.errors.PackageError: This XGBoost model is damaged: it does not begin with an object. ...
    """
    reader = _Reader(content)
    _require(content[:1] == b"{", "it does not begin with an object")
    document = reader.value(0)
    _require(reader.place == len(content), "something follows after its end")
    return _checked(document)


@dataclass(frozen=True)
class _Trees:
    """The fields of all trees: of each name an array (of `id` a number) a tree; and the trees' sizes."""

    values: dict[str, list[Any]]
    sizes: list[Any]

    def fields(self) -> list[tuple[bytes, np.dtype[Any] | None, list[Any]]]:
        """Return what stands before each field's length, its type, and where its values are gathered."""
        found: list[tuple[bytes, np.dtype[Any] | None, list[Any]]] = []
        for name, code in _TREE_FIELDS.items():
            header = b"L" + _LENGTH.pack(len(name)) + name.encode()
            if code:
                header += b"[$" + code.encode() + b"#L"
            found.append((header, _TYPES[ord(code)] if code else None, self.values[name]))
        return found

    def joined(self, name: str) -> NDArray[Any]:
        """Return a field of all trees, whole numbers as 64 bits."""
        array = np.concatenate(self.values[name])
        return array.astype(np.float32 if array.dtype.kind == "f" else np.int64)

    def lengths(self, name: str) -> NDArray[np.int64]:
        """Return how long a field is in each tree."""
        return np.array([len(array) for array in self.values[name]], dtype=np.int64)


class _Reader:
    """Reads one value after the other; refuses what XGBoost does not write."""

    def __init__(self, content: bytes) -> None:
        self._content, self.place = content, 0

    def value(self, depth: int) -> Any:
        """Return the value that begins at `place`: dict, list, array, text or whole number."""
        code = self._take(1)[0]
        if code == ord("S"):
            return self._text()
        if code in _INTEGERS:
            layout = _INTEGERS[code]
            return layout.unpack(self._take(layout.size))[0]
        _require(depth < _DEEPEST, "it is nested too deeply")
        if code == ord("{"):
            return self._object(depth)
        _require(code == ord("["), f"it holds a value of the unknown type `{code:#x}`")
        return self._array(depth)

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self._content[self.place : self.place + 1] != b"}":
            name = self._text()
            _require(name not in found, "a name stands there twice")
            found[name] = self._trees() if name == "trees" else self.value(depth + 1)
        self.place += 1
        return found

    def _array(self, depth: int) -> Any:
        mark = self._take(1)
        if mark == b"$":
            dtype = _TYPES.get(self._take(1)[0])
            _require(dtype is not None and self._take(1) == b"#", "it holds an array of an unknown type")
            assert dtype is not None
            return self._numbers(dtype, self._length())
        _require(mark == b"#", "it holds an array without a length")
        n_values = self._length()
        _require(n_values <= len(self._content), "it holds an array longer than itself")
        return [self.value(depth + 1) for _ in range(n_values)]

    def _trees(self) -> _Trees:
        """Return the fields of a list of trees; value by value, reading would take ten times as long."""
        _require(self._take(2) == b"[#", "its trees are no list")
        n_trees, trees = self._length(), _Trees({name: [] for name in _TREE_FIELDS}, [])
        _require(n_trees <= len(self._content), "it holds an array longer than itself")
        fields = trees.fields()
        for _ in range(n_trees):
            _require(self._take(1) == b"{", "a tree is no object")
            for header, dtype, found in fields:
                end = self.place + len(header)
                is_there = self._content.startswith(header, self.place) and end + 8 <= len(self._content)
                _require(is_there, _NO_TREE)
                if dtype is None:
                    self.place = end
                    found.append(self.value(_DEEPEST))
                    continue
                (length,), self.place = _LENGTH.unpack_from(self._content, end), end + 8
                found.append(self._numbers(dtype, length))
            _require(self._text() == "tree_param", _NO_TREE)
            trees.sizes.append(self.value(_DEEPEST - 1))
            _require(self._take(1) == b"}", _NO_TREE)
        return trees

    def _numbers(self, dtype: np.dtype[Any], length: int) -> NDArray[Any]:
        start, self.place = self.place, self.place + length * dtype.itemsize
        _require(length >= 0 and self.place <= len(self._content), "it ends too early")
        return np.frombuffer(self._content, dtype, length, start)

    def _text(self) -> str:
        try:
            return self._take(self._length()).decode("utf-8")
        except UnicodeDecodeError:
            raise _damaged("it holds a text that is not UTF-8") from None

    def _length(self) -> int:
        _require(self._take(1) == b"L", "it holds a length that is no 64-bit number")
        length: int = _LENGTH.unpack(self._take(8))[0]
        return length

    def _take(self, size: int) -> bytes:
        start, self.place = self.place, self.place + size
        _require(size >= 0 and self.place <= len(self._content), "it ends too early")
        return self._content[start : self.place]


def _checked(document: Any) -> ModelSummary:
    root = _named(document, "the model", {"learner", "version"})
    _whole_numbers(root["version"], "version")
    learner = _named(
        root["learner"],
        "learner",
        {
            "attributes",
            "feature_names",
            "feature_types",
            "gradient_booster",
            "learner_model_param",
            "objective",
        },
    )
    _require(learner["attributes"] == {}, "it has attributes")
    _check_objective(learner["objective"])
    sizes = _named(
        learner["learner_model_param"],
        "learner_model_param",
        {"base_score", "boost_from_average", "num_class", "num_feature", "num_target"},
    )
    n_features, n_classes = _count(sizes["num_feature"]), _count(sizes["num_class"])
    _require(sizes["num_target"] == "1", "it has more than one target")
    _check_start(sizes["base_score"])
    _check_features(learner, n_features)
    n_outputs = max(1, n_classes)
    n_trees = _check_booster(learner["gradient_booster"], n_features, n_outputs)
    return ModelSummary(n_features, n_outputs, n_trees)


def _check_objective(objective: Any) -> None:
    _require(isinstance(objective, dict), "its objective is damaged")
    settings = [each for name, each in objective.items() if name != "name"]
    is_known = isinstance(objective.get("name"), str) and _OBJECTIVES.fullmatch(objective["name"])
    is_plain = all(
        isinstance(each, dict) and all(isinstance(text, str) for text in each.values()) for each in settings
    )
    _require(bool(is_known) and is_plain, "its objective is unknown")


def _check_start(text: Any) -> None:
    """Check the constant that the trees add to: a number, or a list of numbers, written as a text."""
    _require(isinstance(text, str), "its start is no text")
    try:
        numbers = [float(each) for each in text.removeprefix("[").removesuffix("]").split(",")]
    except ValueError:
        raise _damaged("its start is no number") from None
    _require(all(map(math.isfinite, numbers)), "its start is no number")


def _check_features(learner: Mapping[str, Any], n_features: int) -> None:
    kinds, names = learner["feature_types"], learner["feature_names"]
    _require(isinstance(kinds, list) and isinstance(names, list), "its features are damaged")
    _require(len(kinds) == n_features, "its number of features contradicts itself")
    _require(not names, "its features have names")
    _require(
        all(isinstance(each, str) and each in ("q", "c") for each in kinds), "a feature has an unknown type"
    )


def _check_booster(booster: Any, n_features: int, n_outputs: int) -> int:
    found = _named(booster, "gradient_booster", {"model", "name"})
    _require(found["name"] == "gbtree", "it does not consist of trees")
    model = found["model"]
    # `cats` came with XGBoost 3.1 and stays empty where categories are codes.
    expected = {"gbtree_model_param", "iteration_indptr", "tree_info", "trees"}
    model = _named(model, "model", expected | ({"cats"} & set(model if isinstance(model, dict) else ())))
    if "cats" in model:
        cats = _named(model["cats"], "cats", {"enc", "feature_segments", "sorted_idx"})
        _require(all(len(each) == 0 for each in cats.values()), "it holds categories as texts")
    sizes = _named(model["gbtree_model_param"], "gbtree_model_param", {"num_parallel_tree", "num_trees"})
    _require(sizes["num_parallel_tree"] == "1", "its rounds have several trees an output")
    trees, n_trees = model["trees"], _count(sizes["num_trees"])
    outputs = _whole_numbers(model["tree_info"], "tree_info")
    starts = _whole_numbers(model["iteration_indptr"], "iteration_indptr")
    _require(isinstance(trees, _Trees), "it has no trees")
    _require(len(trees.sizes) == n_trees == len(outputs) > 0, "its number of trees is wrong")
    _require(starts == list(range(0, n_trees + 1, n_outputs)), "its rounds are not as long as they must be")
    _require(outputs == [*range(n_outputs)] * (n_trees // n_outputs), "a tree's output is wrong")
    _check_trees(trees, n_features)
    return n_trees


def _check_trees(trees: _Trees, n_features: int) -> None:
    """Check that all trees are as large as they say, and point where they may."""
    n_nodes = trees.lengths("left_children")
    _require(trees.values["id"] == list(range(len(n_nodes))), "its trees are out of order")
    plain = {"num_deleted": "0", "num_feature": str(n_features), "size_leaf_vector": "1"}
    sizes = [{**plain, "num_nodes": str(size)} for size in n_nodes.tolist()]
    _require(trees.sizes == sizes, "a tree is of another size than it says, or of an unknown kind")
    is_complete = all(np.array_equal(trees.lengths(name), n_nodes) for name in _OF_NODES)
    _require(is_complete and bool((n_nodes > 0).all()), "a tree's fields are too long or too short")
    is_leaf = _check_branches(trees, n_nodes)
    feature, kind, is_left = (trees.joined(name) for name in ("split_indices", "split_type", "default_left"))
    is_known = bool(((feature >= 0) & (feature < n_features)).all())
    _require(is_known, "a tree asks for a feature that does not exist")
    _require(bool((kind <= 1).all() and (is_left <= 1).all()), "a node is of an unknown kind")
    values = trees.joined("split_conditions")
    _require(bool(np.isfinite(values[is_leaf]).all()), "a leaf is no number")
    # Up to XGBoost 3.0 a question about a category has a threshold that is no number, and does not use it.
    _require(not np.isnan(values[~is_leaf & (kind == 0)]).any(), "a threshold is no number")
    _check_categories(trees, n_nodes, ~is_leaf & (kind == 1))


def _check_branches(trees: _Trees, n_nodes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Check that nodes form trees whose children stand behind their parents; return which are leaves."""
    first = np.repeat(np.cumsum(n_nodes) - n_nodes, n_nodes)
    end = first + np.repeat(n_nodes, n_nodes)
    left, right, parents = (trees.joined(name) for name in ("left_children", "right_children", "parents"))
    is_leaf = np.asarray(left == -1)
    inner = np.flatnonzero(~is_leaf)
    asking = np.concatenate([inner, inner])
    children = np.concatenate([left[inner], right[inner]]) + first[asking]
    leads_on = (children > asking) & (children < end[asking])
    _require(bool((right[is_leaf] == -1).all() and leads_on.all()), "a branch leads nowhere")
    # Every node but the roots is the child of one other, and knows of which.
    is_root = np.arange(len(left)) == first
    is_tree = bool((np.bincount(children, minlength=len(left)) == ~is_root).all())
    is_tree = is_tree and bool((parents[children] + first[children] == asking).all())
    _require(is_tree and bool((parents[is_root] == _ROOT_PARENT).all()), "a branch leads to the wrong node")
    return is_leaf


def _check_categories(trees: _Trees, n_nodes: NDArray[np.int64], asking: NDArray[np.bool_]) -> None:
    """Check that every question about a category has its own list of codes."""
    codes, nodes, starts, sizes = (trees.joined(name) for name in _OF_CATEGORIES)
    n_lists, n_codes = trees.lengths("categories_nodes"), trees.lengths("categories")
    tree_of_node, tree_of_list = (np.repeat(np.arange(len(n_nodes)), each) for each in (n_nodes, n_lists))
    is_sound = np.array_equal(n_lists, np.bincount(tree_of_node[asking], minlength=len(n_nodes)))
    is_sound = is_sound and len(starts) == len(sizes) == len(nodes)
    _require(is_sound, _NO_LIST)
    places = nodes + (np.cumsum(n_nodes) - n_nodes)[tree_of_list]
    _require(np.array_equal(places, np.flatnonzero(asking)), _NO_LIST)
    # A size beyond the number of codes could make their sum overflow.
    is_sound = bool(((sizes > 0) & (sizes <= len(codes))).all() and (codes >= 0).all())
    _require(is_sound and int(sizes.sum()) == len(codes), _NO_LIST)
    is_first = np.diff(tree_of_list, prepend=-1) > 0
    begins = starts + (np.cumsum(n_codes) - n_codes)[tree_of_list]
    is_sound = bool((starts[is_first] == 0).all()) and np.array_equal(begins, np.cumsum(sizes) - sizes)
    _require(is_sound, _NO_LIST)
    n_bits = int(np.maximum.reduceat(codes, begins).sum()) + len(begins) if len(begins) else 0
    _require(n_bits <= _MOST_CATEGORY_BITS, "its categories are too large")


def _named(value: Any, what: str, names: set[str]) -> dict[str, Any]:
    """Return an object that has exactly these entries."""
    _require(isinstance(value, dict), f"`{what}` is no object")
    found: dict[str, Any] = value
    if set(found) != names:
        different = sorted(set(found) ^ names)
        raise _damaged(f"`{what}` lacks or adds `{', '.join(different)}`")
    return found


def _count(text: Any) -> int:
    """Return a number that XGBoost writes as a text."""
    _require(
        isinstance(text, str) and re.fullmatch(r"\d{1,9}", text, re.ASCII) is not None, "a size is no number"
    )
    return int(text)


def _whole_numbers(values: Any, what: str) -> list[int]:
    is_right = isinstance(values, list) and all(isinstance(each, int) for each in values)
    _require(is_right, f"`{what}` holds something that is no number")
    found: list[int] = values
    return found


def _require(is_right: bool, complaint: str) -> None:
    if not is_right:
        raise _damaged(complaint)


def _damaged(complaint: str) -> PackageError:
    return PackageError(
        f"This XGBoost model is damaged: {complaint}. Train the model again (or, if this version of XGBoost "
        "has just written it, use an older one: its format is not known here)."
    )
