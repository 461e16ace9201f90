"""Three complete reports, computed from data that ship with scikit-learn: two classes, several, a number."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    confusion_matrix,
    f1_score,
    log_loss,
    mean_absolute_error,
    precision_recall_curve,
    r2_score,
    roc_auc_score,
    roc_curve,
    root_mean_squared_error,
)
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

METRICS = {
    "accuracy": {
        "title": "accuracy",
        "explanation": "Share of rows whose class was predicted correctly.",
        "higher_is_better": True,
    },
    "roc_auc": {
        "title": "ROC AUC",
        "explanation": "Probability that a random row of the class gets a higher score than another; "
        "0.5 is guessing, 1 is perfect.",
        "higher_is_better": True,
    },
    "f1_macro": {
        "title": "macro F1",
        "explanation": "Harmonic mean of precision and recall, averaged over the classes with equal weight.",
        "higher_is_better": True,
    },
    "log_loss": {
        "title": "log loss",
        "explanation": "Mean of −log(probability given to the true class); confident mistakes cost most.",
        "higher_is_better": False,
    },
    "rmse": {
        "title": "RMSE",
        "explanation": "Root of the mean squared error, in the target's unit; large errors weigh more.",
        "higher_is_better": False,
    },
    "mae": {
        "title": "mean absolute error",
        "explanation": "Mean distance between prediction and truth, in the target's unit.",
        "higher_is_better": False,
    },
    "r2": {
        "title": "R²",
        "explanation": "Share of the target's variance that is explained; 0 is always answering the mean.",
        "higher_is_better": True,
    },
}


def binary_report() -> dict[str, Any]:
    """Return the report of a finished run on 569 tumours."""
    bunch = load_breast_cancer()
    labels = np.where(bunch.target == 0, "malignant", "benign")
    return _classification(bunch.data, labels, list(bunch.feature_names), "diagnosis", "roc_auc", "malignant")


def multiclass_report() -> dict[str, Any]:
    """Return the report of a finished run on 178 wines of three cultivars."""
    bunch = load_wine()
    labels = np.array([f"cultivar {index + 1}" for index in bunch.target])
    return _classification(bunch.data, labels, list(bunch.feature_names), "cultivar", "f1_macro", None)


def regression_report() -> dict[str, Any]:
    """Return the report of a finished run on 442 patients' progression of diabetes."""
    bunch = load_diabetes(scaled=False)
    X, y = bunch.data, bunch.target
    parts = _parts(X, y, None)
    candidates = {
        "lightgbm": (
            "gradient-boosted trees",
            GradientBoostingRegressor(n_estimators=60, max_depth=2, random_state=0),
        ),
        "ridge": ("ridge regression", make_pipeline(StandardScaler(), Ridge())),
    }
    board = _leaderboard(candidates, *parts["train"], "neg_root_mean_squared_error", -1)
    model = candidates["ridge"][1].fit(*parts["train"])
    scores = {part: _regression_scores(y_true, model.predict(rows)) for part, (rows, y_true) in parts.items()}
    mean = np.full(len(parts["test"][1]), parts["train"][1].mean())
    predicted = model.predict(parts["test"][0])
    errors, edges = np.histogram(parts["test"][1] - predicted, bins=18)
    report = _common(X, y, list(bunch.feature_names), "progression", "rmse", parts, board, scores)
    report["baseline"] = _regression_scores(parts["test"][1], mean)
    report["problem"] |= {
        "task": "regression",
        "classes": [],
        "positive": None,
        "question": "Which `progression` (a number) does a row have?",
        "baseline": "always the mean of the training rows",
        "reasons": {"problem.task": "`progression` has 214 distinct numbers, so this is regression"},
    }
    report["curves"] = {
        "residuals": {
            "points": np.column_stack([predicted, parts["test"][1]]).tolist(),
            "histogram": {"edges": edges.tolist(), "counts": errors.tolist()},
        }
    }
    report["importance"] = _importance(model, *parts["test"], list(bunch.feature_names), r2_score)
    report["training"] |= {"curve": None, "best_round": None, "loss": "squared error", "stopped": None}
    report["selection"]["higher_is_better"] = False
    return report


def _classification(
    X: np.ndarray, y: np.ndarray, names: list[str], target: str, metric: str, positive: str | None
) -> dict[str, Any]:
    parts = _parts(X, y, y)
    boosted = GradientBoostingClassifier(n_estimators=60, max_depth=2, learning_rate=0.2, random_state=0)
    candidates = {
        "lightgbm": ("gradient-boosted trees", boosted),
        "logistic": ("logistic regression", make_pipeline(StandardScaler(), LogisticRegression())),
    }
    board = _leaderboard(candidates, *parts["train"], metric, 1)
    model = boosted.fit(*parts["train"])
    scores = {
        part: _class_scores(y_true, model.predict_proba(rows), model.classes_)
        for part, (rows, y_true) in parts.items()
    }
    report = _common(X, y, names, target, metric, parts, board, scores)
    frequencies = np.array([np.mean(parts["train"][1] == label) for label in model.classes_])
    y_test = parts["test"][1]
    report["baseline"] = _class_scores(y_test, np.tile(frequencies, (len(y_test), 1)), model.classes_)
    classes = [str(label) for label in model.classes_]
    most_frequent = max(classes, key=lambda label: np.mean(y == label))
    report["problem"] |= {
        "task": "classification",
        "classes": classes,
        "positive": positive,
        "question": f"Which `{target}` does a row have: {', '.join(classes)}?",
        "baseline": f"always the most frequent class, `{most_frequent}`",
        "reasons": {
            "problem.task": f"`{target}` has {len(classes)} distinct values, so this is classification"
        },
    }
    report["curves"] = _class_curves(y_test, model.predict_proba(parts["test"][0]), classes, positive)
    report["importance"] = _importance(model, *parts["test"], names, accuracy_score)
    held_out = [
        log_loss(parts["validation"][1], each) for each in model.staged_predict_proba(parts["validation"][0])
    ]
    fitted = [log_loss(parts["train"][1], each) for each in model.staged_predict_proba(parts["train"][0])]
    report["training"]["curve"] = [
        {"round": index, "train": train, "validation": validation}
        for index, (train, validation) in enumerate(zip(fitted, held_out, strict=True), start=1)
    ]
    report["training"]["best_round"] = int(np.argmin(held_out)) + 1
    return report


def _parts(
    X: np.ndarray, y: np.ndarray, stratify: np.ndarray | None
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    rest, X_test, y_rest, y_test = train_test_split(X, y, test_size=0.3, random_state=0, stratify=stratify)
    again = None if stratify is None else y_rest
    X_train, X_val, y_train, y_val = train_test_split(
        rest, y_rest, test_size=0.2, random_state=0, stratify=again
    )
    return {"train": (X_train, y_train), "validation": (X_val, y_val), "test": (X_test, y_test)}


def _leaderboard(
    candidates: Mapping[str, tuple[str, Any]], X: np.ndarray, y: np.ndarray, metric: str, sign: int
) -> list[dict[str, Any]]:
    rows = []
    for name, (title, model) in candidates.items():
        folds = sign * cross_val_score(model, X, y, cv=5, scoring=metric)
        error = float(folds.std(ddof=1) / np.sqrt(5))
        rows.append(
            {
                "name": name,
                "title": title,
                "score": float(folds.mean()),
                "low": float(folds.mean() - 2 * error),
                "high": float(min(folds.mean() + 2 * error, 1.0 if sign > 0 else np.inf)),
                "standard_error": error,
                "fold_scores": folds.tolist(),
                "seconds": 1.37 if name == "lightgbm" else 0.21,
                "latency_us": 5.2 if name == "lightgbm" else 2.9,
                "size_bytes": 184_213 if name == "lightgbm" else 3_120,
                "chosen": name == ("lightgbm" if sign == 1 else "ridge"),
                "within_one_standard_error": sign == -1,
                "p_value": 0.4 if sign == -1 else 0.01,
                "tied": sign == -1,
            }
        )
    return rows


def _interval(value: float, n: int, scale: float = 1.0) -> dict[str, float]:
    half = scale / np.sqrt(n)
    high = float(value + half)
    return {"value": float(value), "low": float(value - half), "high": min(1.0, high) if value <= 1 else high}


def _class_scores(y: np.ndarray, p: np.ndarray, classes: np.ndarray) -> dict[str, dict[str, float]]:
    answers = classes[p.argmax(axis=1)]
    area = roc_auc_score(y, p[:, 1] if len(classes) == 2 else p, multi_class="ovr")
    if len(classes) == 2:
        area = max(area, 1 - area)
    return {
        "accuracy": _interval(accuracy_score(y, answers), len(y), 0.3),
        "roc_auc": _interval(area, len(y), 0.1),
        "f1_macro": _interval(f1_score(y, answers, average="macro"), len(y), 0.3),
        "log_loss": _interval(log_loss(y, p, labels=classes), len(y), 0.4),
    }


def _regression_scores(y: np.ndarray, predicted: np.ndarray) -> dict[str, dict[str, float]]:
    return {
        "rmse": _interval(root_mean_squared_error(y, predicted), len(y), 40),
        "mae": _interval(mean_absolute_error(y, predicted), len(y), 35),
        "r2": _interval(r2_score(y, predicted), len(y), 0.8),
    }


def _class_curves(y: np.ndarray, p: np.ndarray, classes: list[str], positive: str | None) -> dict[str, Any]:
    answers = np.array(classes)[p.argmax(axis=1)]
    curves: dict[str, Any] = {
        "confusion": {"labels": classes, "counts": confusion_matrix(y, answers, labels=classes).tolist()},
        "roc": [],
        "precision_recall": [],
        "calibration": [],
    }
    for label in [positive] if positive else classes:
        is_label, score = (y == label).astype(int), p[:, classes.index(label)]
        false_positive, true_positive, _ = roc_curve(is_label, score)
        precision, recall, _ = precision_recall_curve(is_label, score)
        area = float(roc_auc_score(is_label, score))
        mean = float(average_precision_score(is_label, score))
        bins = np.clip((score * 6).astype(int), 0, 5)
        curves["roc"].append(
            {"label": label, "auc": area, "points": np.column_stack([false_positive, true_positive]).tolist()}
        )
        pairs = np.column_stack([recall, precision]).tolist()
        share = float(is_label.mean())
        curves["precision_recall"].append({"label": label, "ap": mean, "share": share, "points": pairs})
        triples = [
            [
                float(score[bins == each].mean()),
                float(is_label[bins == each].mean()),
                int((bins == each).sum()),
            ]
            for each in np.unique(bins)
        ]
        curves["calibration"].append({"label": label, "points": triples})
    return curves


def _importance(
    model: Any, X: np.ndarray, y: np.ndarray, names: list[str], score: Any
) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    full = score(y, model.predict(X))
    rows = []
    for index, name in enumerate(names):
        losses = []
        for _ in range(3):
            shuffled = X.copy()
            shuffled[:, index] = rng.permutation(shuffled[:, index])
            losses.append(full - score(y, model.predict(shuffled)))
        rows.append({"column": name, "importance": np.mean(losses), "low": min(losses), "high": max(losses)})
    return [{key: v if key == "column" else float(v) for key, v in row.items()} for row in rows]


def _column(name: str, values: np.ndarray) -> dict[str, Any]:
    counts, edges = np.histogram(values, bins=20)
    return {
        "name": name,
        "kind": "number",
        "storage": "float",
        "reason": f"{len(np.unique(values))} distinct numbers",
        "n": len(values),
        "n_missing": 0,
        "n_unique": len(np.unique(values)),
        "minimum": float(values.min()),
        "maximum": float(values.max()),
        "mean": float(values.mean()),
        "std": float(values.std()),
        "quartiles": [float(each) for each in np.quantile(values, [0.25, 0.5, 0.75])],
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
        "top": None,
        "examples": [float(each) for each in values[:3]],
    }


def _target_column(name: str, y: np.ndarray) -> dict[str, Any]:
    if y.dtype.kind == "f":
        return _column(name, y)
    labels, counts = np.unique(y, return_counts=True)
    top = sorted(zip(labels.tolist(), counts.tolist(), strict=True), key=lambda pair: -pair[1])
    empty = dict.fromkeys(("minimum", "maximum", "mean", "std", "quartiles", "histogram"))
    return {
        "name": name,
        "kind": "category",
        "storage": "string",
        "reason": f"text with {len(labels)} distinct values",
        "n": len(y),
        "n_missing": 0,
        "n_unique": len(labels),
        **empty,
        "top": [list(pair) for pair in top],
        "examples": labels[:3].tolist(),
    }


def _common(
    X: np.ndarray,
    y: np.ndarray,
    names: list[str],
    target: str,
    metric: str,
    parts: Mapping[str, tuple[np.ndarray, np.ndarray]],
    board: list[dict[str, Any]],
    scores: Mapping[str, Any],
) -> dict[str, Any]:
    columns = [_column(name, X[:, index]) for index, name in enumerate(names)]
    columns[0]["n_missing"] = 31
    columns[2]["n_missing"] = 12
    chosen = next(row for row in board if row["chosen"])
    n = {part: len(rows[1]) for part, rows in parts.items()}
    return {
        "groundup": "0.1.0",
        "run": f"{target}-7f3a",
        "folder": f"runs/{target}-7f3a",
        "created": "2026-03-14T09:26:53+00:00",
        "status": "finished",
        "problem": {"target": target, "metric": metric, "metric_title": METRICS[metric]["title"]},
        "data": {
            "origin": f"{target}.csv",
            "n_rows": len(y),
            "n_columns": len(names) + 1,
            "fingerprint": "3f9c1e" + "0a" * 29,
            "facts": [["encoding", "utf-8"], ["delimiter", ","], ["header row", "1"]],
            "columns": [*columns, _target_column(target, y)],
        },
        "split": {
            "method": "random",
            "reason": "Rows are drawn at random.",
            "n_train": n["train"],
            "n_validation": n["validation"],
            "n_test": n["test"],
            "test_opened": 1,
        },
        "preparation": {
            "learner": chosen["name"],
            "n_features": len(names),
            "columns": [
                {
                    "column": name,
                    "kind": "number",
                    "steps": ["missing kept"],
                    "n_features": 1,
                    "why": "trees split at gaps",
                }
                for name in names
            ],
        },
        "leaderboard": board,
        "selection": {
            "name": chosen["name"],
            "reason": f"`{chosen['name']}` has the best mean over the folds.",
            "metric": metric,
            "higher_is_better": True,
        },
        "model": {
            "name": chosen["name"],
            "title": chosen["title"],
            "idea": "Many small trees are added up; each corrects what the sum before it got wrong.",
            "reference": "Friedman (2001), Greedy function approximation, Annals of Statistics 29",
            "hyperparameters": {
                "learning_rate": {"value": 0.2, "description": "Factor on each tree's contribution."},
                "n_estimators": {"value": 60, "description": "Most rounds, one tree each."},
            },
            "facts": {
                "learner": chosen["title"],
                "n_rounds": 60,
                "importance": [{"feature": name, "share": round(1 / len(names), 3)} for name in names[:5]],
            },
        },
        "training": {
            "seed": 0,
            "threads": 1,
            "threads_reason": "One thread: a table of 17 070 cells is too small to repay more.",
            "folds": 5,
            "fold_method": "k-fold",
            "fold_reason": "Rows are shuffled into 5 folds of equal size.",
            "loss": "log loss",
            "stopped": "limit",
        },
        **scores,
        "cross_validation": {
            metric: {key: chosen[key if key != "value" else "score"] for key in ("value", "low", "high")}
        },
        "metrics": {name: METRICS[name] for name in scores["test"]},
        "fit": {
            "verdict": "fits",
            "sentence": "The score on training rows is within the interval of the score on held-out rows.",
            "gap": {"value": 0.021, "low": -0.004, "high": 0.046},
            "fractions": [
                {
                    "share": s,
                    "n": round(s * n["train"]),
                    "held_out": loss,
                    "low": loss - 0.05,
                    "high": loss + 0.07,
                }
                for s, loss in ((0.1, 0.48), (0.2, 0.41), (0.4, 0.29), (0.8, 0.24))
            ],
            "more_rows": {
                "outcome": "helps",
                "sentence": "Twice the rows would lower the log loss by about 0.03 (0.01 to 0.05).",
                "gain": {"value": 0.03, "low": 0.01, "high": 0.05},
                "doubling": {"value": 0.05, "low": 0.02, "high": 0.08},
                "exponent": 0.5,
                "forecast": [
                    {"n": round(x * n["train"]), "value": loss, "low": loss - 0.05, "high": loss + 0.06}
                    for x, loss in ((0.8, 0.24), (1.3, 0.22), (2.0, 0.2))
                ],
            },
        },
        "findings": [
            {
                "code": "D010",
                "title": "Many values are missing",
                "severity": "warning",
                "column": names[0],
                "message": f"{31 / len(y):.1%} of `{names[0]}` is missing.",
                "remedy": "Find out why they are missing, or leave the column out.",
                "evidence": {"missing": 31, "rows": len(y)},
                "patch": {"data.drop": [names[0]]},
            },
            {
                "code": "S005",
                "title": "A part is small",
                "severity": "info",
                "column": None,
                "message": f"The validation part has {n['validation']} rows.",
                "remedy": "Collect more rows, or read the intervals.",
                "evidence": {},
                "patch": {},
            },
        ],
        "cost": {
            "wall_seconds": 5.2,
            "cpu_seconds": 4.6,
            "peak_memory_bytes": 231_000_000,
            "energy_wh": 0.019,
            "watts": 15.0,
            "steps": [
                {"step": 2, "name": "read and split", "seconds": 0.31},
                {"step": 2, "name": "prepare", "seconds": 0.02},
                {"step": 6, "name": "cross-validate", "seconds": 3.1},
                {"step": 6, "name": "fit", "seconds": 0.6},
                {"step": 7, "name": "evaluate", "seconds": 0.9},
                {"step": 8, "name": "package", "seconds": 0.05},
            ],
        },
        "reproduce": {
            "command": f"groundup reproduce runs/{target}-7f3a",
            "recipe": "problem:\n  target: " + target + "\ntraining:\n  seed: 0\n",
            "python": "3.11.9",
            "platform": "Linux x86_64",
            "packages": {"numpy": "2.2.0", "polars": "1.30.0", "lightgbm": "4.7.0"},
            "seed": 0,
            "model_digest": "9b1deb4d" * 8,
            "threads": 1,
        },
    }
