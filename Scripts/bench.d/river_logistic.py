"""River's LogisticRegression: one row a step, rows as the dictionaries that it takes, already in memory.

    python3 river_logistic.py --columns 28 --rows 20000
"""
import argparse
import random
import time

from river import linear_model, optim

parser = argparse.ArgumentParser()
parser.add_argument("--columns", type=int, default=28)
parser.add_argument("--rows", type=int, default=20_000)
arguments = parser.parse_args()

random.seed(0)
rows = [{column: random.uniform(-1, 1) for column in range(arguments.columns)} for _ in range(arguments.rows)]
targets = [bool(row % 2) for row in range(arguments.rows)]
model = linear_model.LogisticRegression(optim.SGD(1e-3))
model.learn_one(rows[0], targets[0])
start = time.perf_counter()
for row, target in zip(rows, targets):
    model.learn_one(row, target)
seconds = time.perf_counter() - start
print(f"river columns={arguments.columns} step_us={seconds / arguments.rows * 1e6:.2f} samples/s={arguments.rows / seconds:.0f}")
