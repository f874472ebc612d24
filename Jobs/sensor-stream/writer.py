#!/usr/bin/env python3
"""A simulation that writes rows as it goes: an HDF5 file that grows, for readers beside it (SWMR).

    python3 Jobs/sensor-stream/writer.py runs/sensor-data/sensor-0.h5 --rows 20000 --pause 0.001

Features come before targets, each followed by a flush, so that a reader that sees a target sees its features. Needs h5py.
A file that is there already goes on where it ends.
"""

import argparse
import os
import time

os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")

import h5py
import numpy


def rows(seed, start, count, columns):
    """Rows `start` to `start + count`: what a row is depends on its number alone."""
    for number in range(start, start + count):
        random = numpy.random.default_rng([seed, number])
        x = random.standard_normal(columns, dtype="f4")
        weights = numpy.sin(1 + numpy.arange(columns)) * (1 if number < 10_000 else -1)
        yield x, int(x @ weights + random.normal(0, 0.5) > 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--pause", type=float, default=0.001, help="seconds between two rows")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--columns", type=int, default=12)
    options = parser.parse_args()
    os.makedirs(os.path.dirname(options.file) or ".", exist_ok=True)
    with h5py.File(options.file, "a", libver="latest") as file:
        if "features" not in file:
            columns = options.columns
            file.create_dataset("features", (0, columns), "f4", maxshape=(None, columns), chunks=(256, columns))
            file.create_dataset("targets", (0,), "i4", maxshape=(None,), chunks=(256,))
        features, targets = file["features"], file["targets"]
        start = len(targets)
        file.swmr_mode = True
        for offset, (x, y) in enumerate(rows(options.seed, start, options.rows - start, features.shape[1])):
            number = start + offset
            for data, value in ((features, x), (targets, y)):
                data.resize(number + 1, 0)
                data[number] = value
                data.flush()
            time.sleep(options.pause)


main()
