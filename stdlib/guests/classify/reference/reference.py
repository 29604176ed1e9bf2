"""Reference numbers for std/classify and std/regress, by scikit-learn.

    pip install scikit-learn==1.9.1
    python reference.py

writes reference.json beside this file, from the data in examples/. Every number in it is compared by the guests' tests.
"""

import csv
import json
import pathlib

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import (accuracy_score, brier_score_loss, confusion_matrix, f1_score, log_loss,
                             mean_absolute_error, precision_score, r2_score, recall_score, roc_auc_score,
                             root_mean_squared_error)
from sklearn.preprocessing import StandardScaler

HERE = pathlib.Path(__file__).parent
EXAMPLES = HERE.parents[3] / "examples"


def table(path):
    with open(EXAMPLES / path, newline="") as file:
        return list(csv.DictReader(file))


def calibration_error(actual, probability, bins=10):
    place = np.minimum((probability * bins).astype(int), bins - 1)
    total = sum(abs(probability[place == b].sum() - actual[place == b].sum()) for b in range(bins))
    return total / len(actual)


def exists(metric):
    """A number, or null where scikit-learn has none."""
    number = float(metric)
    return None if np.isnan(number) else number


def binary(actual, probability, threshold=0.5):
    actual = np.asarray(actual)
    probability = np.asarray(probability, dtype=float)
    predicted = (probability >= threshold).astype(int)
    tn, fp, fn, tp = confusion_matrix(actual, predicted, labels=[0, 1]).ravel()
    both = np.column_stack([1 - probability, probability])
    return {
        "accuracy": accuracy_score(actual, predicted),
        "precision": exists(precision_score(actual, predicted, zero_division=np.nan)),
        "recall": exists(recall_score(actual, predicted, zero_division=np.nan)),
        "f1": exists(f1_score(actual, predicted, zero_division=np.nan)),
        "auc": float(roc_auc_score(actual, probability)) if len(set(actual)) == 2 else None,
        "log_loss": log_loss(actual, both, labels=[0, 1]),
        "brier": brier_score_loss(actual, probability, labels=[0, 1]),
        "calibration_error": calibration_error(actual, probability),
        "selection_rate": float(predicted.mean()),
        "false_positive_rate": float(fp / (fp + tn)) if fp + tn else None,
        "rows": len(actual),
        "true_positive": int(tp),
        "false_positive": int(fp),
        "true_negative": int(tn),
        "false_negative": int(fn),
    }


def multiclass(actual, probabilities):
    actual = np.asarray(actual)
    probabilities = np.asarray(probabilities)
    predicted = probabilities.argmax(axis=1)
    onehot = np.eye(probabilities.shape[1])[actual]
    return {
        "accuracy": accuracy_score(actual, predicted),
        # Averaged here: scikit-learn leaves out the classes without a precision, which flatters.
        "precision": exists(np.mean(precision_score(actual, predicted, average=None, zero_division=np.nan))),
        "recall": recall_score(actual, predicted, average="macro"),
        "f1": f1_score(actual, predicted, average="macro"),
        "auc": roc_auc_score(actual, probabilities, multi_class="ovr", average="macro"),
        "log_loss": log_loss(actual, probabilities),
        "brier": float(((probabilities - onehot) ** 2).sum(axis=1).mean()),
        "calibration_error": calibration_error((actual == predicted).astype(float), probabilities.max(axis=1)),
        "rows": len(actual),
    }


def regression(actual, predicted):
    return {
        "rmse": root_mean_squared_error(actual, predicted),
        "mae": mean_absolute_error(actual, predicted),
        "r2": r2_score(actual, predicted),
        "bias": float(np.mean(predicted - actual)),
        "rows": len(actual),
    }


def converged(c=1.0):
    """scikit-learn's default objective, solved as far as doubles go; its L-BFGS stops earlier, Newton does not."""
    return LogisticRegression(C=c, solver="newton-cholesky", tol=1e-12, max_iter=1_000)


def breast_cancer():
    rows = table("breast_cancer/data/breast_cancer.csv")
    x = np.array([[float(v) for k, v in row.items() if k != "diagnosis"] for row in rows])
    y = np.array([int(row["diagnosis"] == "benign") for row in rows])
    scaler = StandardScaler().fit(x[:400])
    train, test = scaler.transform(x[:400]), scaler.transform(x[400:])
    result = {}
    for c in (1.0, 0.01, 100.0):
        model = converged(c).fit(train, y[:400])
        result[f"logistic_c_{c:g}"] = {
            "intercept": float(model.intercept_[0]),
            "weights": model.coef_[0].tolist(),
            "metrics": binary(y[400:], model.predict_proba(test)[:, 1]),
        }
    return result


def bikeshare():
    rows = table("bikeshare/data/hours.csv")
    spring = [row for row in rows if row["mnth"] in ("Jan", "Feb", "March")]
    later = [row for row in rows if row["mnth"] == "April"]
    numbers = ["holiday", "workingday", "temp", "atemp", "hum", "windspeed"]
    levels = {c: sorted({row[c] for row in spring}) for c in ("weathersit", "hr")}

    def matrix(rows):
        onehot = [[float(row[c] == level) for c in levels for level in levels[c]] for row in rows]
        return np.array([[float(row[c]) for c in numbers] + onehot[i] for i, row in enumerate(rows)])

    def label(rows):
        return np.array([float(row["bikers"]) for row in rows])

    x, y = matrix(spring), label(spring)
    result = {"rows": len(spring)}
    model = LinearRegression().fit(x, y)
    result["linear"] = regression(label(later), model.predict(matrix(later)))
    result["linear_train"] = regression(y, model.predict(x))
    scaler = StandardScaler().fit(x)
    ridge = Ridge(alpha=10.0, tol=1e-12).fit(scaler.transform(x), y)
    result["ridge_10"] = regression(label(later), ridge.predict(scaler.transform(matrix(later))))
    weather = sorted({row["weathersit"] for row in rows})
    classes = np.array([weather.index(row["weathersit"]) for row in spring])
    columns = ["temp", "atemp", "hum", "windspeed"]
    raw = np.array([[float(row[c]) for c in columns] for row in spring])
    several = converged().fit(StandardScaler().fit_transform(raw), classes)
    probabilities = several.predict_proba(StandardScaler().fit_transform(raw))
    result["several_classes"] = {
        "classes": [weather[c] for c in several.classes_],
        "metrics": multiclass(np.searchsorted(several.classes_, classes), probabilities),
    }
    # Not a reference to meet, a neighbour to be near: another implementation's trees.
    trees = HistGradientBoostingRegressor(max_iter=100, learning_rate=0.1, max_depth=5, random_state=0)
    result["neighbour_boosting"] = regression(label(later), trees.fit(x, y).predict(matrix(later)))
    return result


def edges():
    cases = {
        "ties": ([0, 1, 0, 1, 1, 0, 1, 0], [0.2, 0.2, 0.2, 0.7, 0.7, 0.7, 0.9, 0.1]),
        "all the same probability": ([0, 1, 1, 0, 1], [0.5] * 5),
        "one class, positive": ([1, 1, 1], [0.9, 0.4, 0.6]),
        "one class, negative": ([0, 0, 0], [0.9, 0.4, 0.6]),
        "nothing predicted positive": ([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4]),
        "one row": ([1], [0.8]),
        "certain and wrong": ([0, 1], [1.0, 0.0]),
        "certain and right": ([0, 1], [0.0, 1.0]),
        "on the edges of bins": ([0, 1, 0, 1, 1], [0.0, 0.1, 0.3, 0.7, 1.0]),
    }
    return [
        {"name": name, "actual": actual, "probability": probability, "metrics": binary(actual, probability)}
        for name, (actual, probability) in cases.items()
    ]


def imbalanced():
    """Of the numbers 0 to 39 the largest 4, 20 or 36 are positive: the positive class as minority, in a tie, as majority."""
    x = np.arange(40.0)[:, None]
    fits = []
    for positives in (4, 20, 36):
        model = converged().fit(StandardScaler().fit_transform(x), x[:, 0] >= 40 - positives)
        fits.append({"positives": positives, "line": [float(model.intercept_[0]), float(model.coef_[0][0])]})
    return fits


if __name__ == "__main__":
    document = {
        "breast_cancer": breast_cancer(),
        "bikeshare": bikeshare(),
        "edges": edges(),
        "imbalanced": imbalanced(),
    }
    (HERE / "reference.json").write_text(json.dumps(document, indent=1) + "\n")
