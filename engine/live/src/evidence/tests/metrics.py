"""Golden values of the label metrics, from scikit-learn (1.9.1): `python metrics.py > metrics.json`."""

import json

import numpy as np
from sklearn import metrics

rng = np.random.default_rng(20110401)


def regression(name, prediction, label):
    prediction, label = np.asarray(prediction, float), np.asarray(label, float)
    r2 = metrics.r2_score(label, prediction) if len(set(label)) > 1 else None
    return {
        "name": name,
        "prediction": prediction.tolist(),
        "label": label.tolist(),
        "rmse": metrics.root_mean_squared_error(label, prediction),
        "mae": metrics.mean_absolute_error(label, prediction),
        "bias": float(np.mean(prediction - label)),
        "r2": r2,
    }


def classification(name, probabilities, label):
    probabilities, label = np.asarray(probabilities, float), np.asarray(label, int)
    classes = list(range(probabilities.shape[1]))
    both = len(classes) == 2 and len(set(label)) == 2
    return {
        "name": name,
        "probabilities": probabilities.ravel().tolist(),
        "classes": len(classes),
        "label": label.tolist(),
        "accuracy": metrics.accuracy_score(label, probabilities.argmax(axis=1)),
        "auc": metrics.roc_auc_score(label, probabilities[:, 1]) if both else None,
        "log_loss": metrics.log_loss(label, probabilities, labels=classes),
    }


def two(second):
    second = np.asarray(second, float)
    return np.column_stack([1 - second, second])


def soft(rows, classes):
    weights = rng.exponential(size=(rows, classes))
    return weights / weights.sum(axis=1, keepdims=True)


truth = rng.integers(0, 2, 200)
cases = {
    "regression": [
        regression("noise", rng.normal(100, 30, 300), rng.normal(110, 25, 300)),
        regression("two rows", [1.0, 2.0], [1.5, 1.0]),
        regression("equal labels", [1.0, 2.0, 4.0], [3.0, 3.0, 3.0]),
        regression("large numbers", 1e9 + rng.integers(-99, 99, 50) / 64, 1e9 + rng.integers(-99, 99, 50) / 64),
        regression("exact", [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]),
    ],
    "classification": [
        classification("soft", two(np.clip(truth * 0.3 + rng.random(200) * 0.7, 0, 1)), truth),
        classification("ties", two(np.round(rng.random(200), 1)), truth),
        classification("all tied", two([0.5, 0.5, 0.5, 0.5]), [0, 1, 1, 0]),
        classification("sure and wrong", two([0.0, 1.0, 1.0, 0.0]), [1, 0, 1, 0]),
        classification("one class", two([0.1, 0.8, 0.6]), [1, 1, 1]),
        classification("four classes", soft(150, 4), rng.integers(0, 4, 150)),
    ],
}
print(json.dumps(cases))
