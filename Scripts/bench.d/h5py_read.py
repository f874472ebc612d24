"""h5py reading all shards of a folder, 256 rows a time or each data set whole; or making them.

    python3 h5py_read.py DIRECTORY make contiguous|deflated COLUMNS
    python3 h5py_read.py DIRECTORY rows|whole
"""
import glob
import os
import sys
import time

import h5py
import numpy as np

# 314 MB, more than a processor's caches hold, on any number of columns.
NUMBERS, SHARDS = 78_400_000, 4


def make(layout, columns):
    # Whole numbers of 8 bits by 1/256, as pictures have: random numbers of 24 bits would not shrink.
    options = {} if layout == "contiguous" else {"chunks": (-(-(1 << 18) // columns), columns), "shuffle": True, "compression": 4, "fletcher32": True}
    os.makedirs(directory)
    for shard in range(SHARDS):
        random = np.random.default_rng(shard)
        rows = NUMBERS // columns // SHARDS
        with h5py.File(f"{directory}/train-{shard:05}-of-{SHARDS:05}.h5", "w") as file:
            features = random.integers(0, 256, (rows, columns)).astype("f4") / 256
            file.create_dataset("features", data=features, **options)
            file.create_dataset("targets", data=random.integers(0, 10, rows, dtype="i4"))


def read(path, how):
    with h5py.File(path) as file:
        features, targets = file["features"], file["targets"]
        step = 256 if how == "rows" else max(1, len(features))
        for start in range(0, len(features), step):
            rows, labels = features[start : start + step], targets[start : start + step]
        return features.size * features.dtype.itemsize, len(features)


directory, how = sys.argv[1:3]
if how == "make":
    make(sys.argv[3], int(sys.argv[4]))
    sys.exit()
paths = sorted(glob.glob(directory + "/*.h5"))
times = []
# The first time does not count.
for _ in range(4):
    start = time.perf_counter()
    found = [read(path, how) for path in paths]
    times.append(time.perf_counter() - start)
median = sorted(times[1:])[1]
size, rows = (sum(entry[index] for entry in found) for index in (0, 1))
print(f"h5py {how} GB/s={size / median / 1e9:.2f} samples/s={rows / median:.0f}")
