"""scikit-learn's SGDClassifier: logistic regression, one row a step, rows already in memory; epochs of one fit.

    python3 sgd_classifier.py --columns 28 --rows 100000 --epochs 5
"""
import argparse
import time

import numpy as np
from sklearn.linear_model import SGDClassifier

parser = argparse.ArgumentParser()
parser.add_argument("--columns", type=int, default=28)
parser.add_argument("--rows", type=int, default=100_000)
parser.add_argument("--epochs", type=int, default=5)
arguments = parser.parse_args()

random = np.random.default_rng(0)
features = random.uniform(-1, 1, (arguments.rows, arguments.columns)).astype(np.float32)
targets = np.arange(arguments.rows) % 2


def fit(epochs):
    """Seconds of a fit: no penalty, a constant rate, no stopping before the end."""
    model = SGDClassifier(
        loss="log_loss", penalty=None, learning_rate="constant", eta0=1e-3, max_iter=epochs, tol=None, random_state=1)
    start = time.perf_counter()
    model.fit(features, targets)
    return time.perf_counter() - start


fit(1)
# What a fit does once, whatever its epochs, does not count.
seconds = (fit(arguments.epochs + 1) - fit(1)) / arguments.epochs
print(f"scikit-learn columns={arguments.columns} epoch_ms={seconds * 1e3:.2f} samples/s={arguments.rows / seconds:.0f}")
