"""What River says of electricity.csv, in order: run with the Python of the tests, prints river.json.

    .venv/bin/python Tests/OnlineTests/Reference/make.py Datasets/electricity/electricity.csv.gz >Tests/OnlineTests/Reference/river.json

Each model is predicted and then learned, after a StandardScaler that learns each row. The detectors see the errors of logistic SGD.
"""
import csv
import gzip
import json
import sys

import river
from river import drift, linear_model, optim, preprocessing


def rows(path, most):
    with gzip.open(path, "rt") as file:
        for number, row in enumerate(csv.reader(file)):
            if number > most:
                return
            if number:
                *features, label = map(float, row)
                yield dict(enumerate(features)), bool(label)


def prequential(path, model, most):
    scaler, errors = preprocessing.StandardScaler(), []
    for x, y in rows(path, most):
        errors.append(int(model.predict_one(scaler.transform_one(x)) != y))
        scaler.learn_one(x)
        model.learn_one(scaler.transform_one(x), y)
    return errors


def signals(detector, values):
    """The rows of drifts, and the runs of rows of warnings, each from its first row up to the one behind the last."""
    drifts, warnings = [], []
    for number, value in enumerate(values):
        detector.update(value)
        if detector.drift_detected:
            drifts.append(number)
        elif getattr(detector, "warning_detected", False):
            if warnings and warnings[-1][1] == number:
                warnings[-1][1] += 1
            else:
                warnings.append([number, number + 1])
    return {"drifts": drifts, "warnings": warnings}


DETECTORS = {
    "adwin": lambda: drift.ADWIN(),
    "adwin-clock-1": lambda: drift.ADWIN(delta=0.05, clock=1, max_buckets=3),
    "ddm": lambda: drift.binary.DDM(),
    "page_hinkley": lambda: drift.PageHinkley(),
    "page_hinkley-sensitive": lambda: drift.PageHinkley(threshold=10, delta=0.01, alpha=0.999),
}
MODELS = {
    "sgd": lambda: linear_model.LogisticRegression(optim.SGD(0.01), intercept_lr=0.01),
    "adagrad": lambda: linear_model.LogisticRegression(optim.AdaGrad(0.1), intercept_lr=0.01),
    "ftrl": lambda: linear_model.LogisticRegression(optim.FTRLProximal(alpha=0.05, beta=1, l1=0, l2=1), intercept_lr=0.01),
    "passive_aggressive": lambda: linear_model.PAClassifier(C=0.01, mode=1),
}

if __name__ == "__main__":
    path, most = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10**9
    errors = {name: prequential(path, make(), most) for name, make in MODELS.items()}
    result = {
        "river": river.__version__,
        "rows": len(errors["sgd"]),
        "accuracy": {name: 1 - sum(values) / len(values) for name, values in errors.items()},
        # Four rows a digit, the first one highest.
        "errors": "".join(f"{int(''.join(map(str, (errors['sgd'] + [0] * 3)[i : i + 4])), 2):x}" for i in range(0, len(errors["sgd"]), 4)),
        "signals": {name: signals(make(), errors["sgd"]) for name, make in DETECTORS.items()},
    }
    json.dump(result, sys.stdout)
    print()
