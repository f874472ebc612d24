"""A stream of 28 columns, one row a step, each predicted, scored and then learned: apus stream, River and Vowpal Wabbit.

    python3 stream_rows.py DIRECTORY make [ROWS]
    python3 stream_rows.py DIRECTORY apus PROGRAM (h5|csv)
    python3 stream_rows.py DIRECTORY ranks PROGRAM FORM COMMAND...
    python3 stream_rows.py DIRECTORY latency PROGRAM
    python3 stream_rows.py DIRECTORY (river|vw)

apus reads HDF5 or CSV, Vowpal Wabbit the text that it wants, River dictionaries that are in memory already. Needs numpy and h5py.
`ranks` learns from two halves of the rows at a time, combined as FORM says (stream.combine), on the ranks that COMMAND starts.
`latency` learns from a file to which Jobs/sensor-stream/writer.py adds a row a millisecond meanwhile, and says how long after a row was
there the model had learned it.
"""
import json
import os
import subprocess
import sys
import time

import h5py
import numpy

COLUMNS = 28
RIVER_ROWS = 20_000
LATENCY_ROWS = 4_000
WRITER = os.path.join(os.path.dirname(__file__), "../../Jobs/sensor-stream/writer.py")


def make(folder, rows):
    os.makedirs(folder)
    random = numpy.random.default_rng(1)
    x = random.standard_normal((rows, COLUMNS), dtype="f4")
    y = (x @ random.standard_normal(COLUMNS) + random.standard_normal(rows) > 0).astype("i4")
    with h5py.File(f"{folder}/rows.h5", "w") as file:
        file.create_dataset("features", data=x, chunks=(8192, COLUMNS))
        file.create_dataset("targets", data=y, chunks=(65536,))
    for half in range(2):
        with h5py.File(f"{folder}/half-{half}.h5", "w") as file:
            file.create_dataset("features", data=x[half::2], chunks=(8192, COLUMNS))
            file.create_dataset("targets", data=y[half::2], chunks=(65536,))
    with open(f"{folder}/rows.csv", "w") as csv, open(f"{folder}/rows.vw", "w") as vw:
        csv.write(",".join([f"x{column}" for column in range(COLUMNS)] + ["targets"]) + "\n")
        for row, label in zip(x[: rows // 4], y):
            numbers = [f"{value:.4f}" for value in row]
            csv.write(",".join(numbers) + f",{label}\n")
            vw.write(f"{2 * label - 1} | " + " ".join(f"{i}:{number}" for i, number in enumerate(numbers)) + "\n")


def learn(folder, program, stream, output, launch=()):
    job = {
        "stream": {"target": "targets", **stream},
        "model": {"kind": "logistic"},
        "optimizer": {"kind": "sgd", "learning_rate": 0.01},
        "output": f"{folder}/{output}",
    }
    with open(f"{folder}/job.json", "w") as file:
        json.dump(job, file)
    subprocess.run([*launch, program, "stream", f"{folder}/job.json", "--overwrite"], check=True, capture_output=True)
    with open(f"{folder}/{output}/metrics.jsonl") as file:
        return [json.loads(line) for line in file][-1]


def rate(line):
    return line["rows"] / line["seconds"]


def apus(folder, program, ending):
    return rate(learn(folder, program, {"sources": f"{folder}/rows.{ending}"}, f"run-{ending}"))


def ranks(folder, program, form, *launch):
    halves = [f"{folder}/half-{half}.h5" for half in range(2)]
    return rate(learn(folder, program, {"sources": halves, "combine": form}, f"run-{form}", launch))


def latency(folder, program):
    grown = f"{folder}/growing.h5"
    if os.path.exists(grown):
        os.remove(grown)
    writer = subprocess.Popen(
        [sys.executable, WRITER, grown, "--rows", f"{LATENCY_ROWS}", "--pause", "0.001", "--columns", f"{COLUMNS}"])
    # One line, of all rows.
    stream = {"sources": grown, "follow": True, "limit": LATENCY_ROWS, "log_rows": LATENCY_ROWS}
    line = learn(folder, program, stream, "run-latency")
    writer.wait()
    return [1e3 * line[f"latency_{share}"] for share in ("median", "99")]


def river(folder):
    from river import linear_model, metrics, optim, preprocessing

    with h5py.File(f"{folder}/rows.h5") as file:
        rows = [dict(enumerate(map(float, row))) for row in file["features"][:RIVER_ROWS]]
        targets = [bool(label) for label in file["targets"][:RIVER_ROWS]]
    model = preprocessing.StandardScaler() | linear_model.LogisticRegression(optim.SGD(0.01))
    score = metrics.Accuracy()
    start = time.perf_counter()
    for row, target in zip(rows, targets):
        score.update(target, model.predict_one(row))
        model.learn_one(row, target)
    return len(rows) / (time.perf_counter() - start)


def vw(folder):
    with open(f"{folder}/rows.vw") as file:
        rows = sum(1 for _ in file)
    import vowpalwabbit

    start = time.perf_counter()
    learner = vowpalwabbit.Workspace(
        f"--data {folder}/rows.vw --loss_function logistic --sgd -l 0.01 --no_stdin --quiet")
    learner.run_parser()
    learner.finish()
    return rows / (time.perf_counter() - start)


folder, what = sys.argv[1:3]
if what == "make":
    make(folder, int(sys.argv[3]) if len(sys.argv) > 3 else 2_000_000)
elif what == "latency":
    median, most = latency(folder, *sys.argv[3:])
    print(f"{what} columns={COLUMNS} median_ms={median:.4g} 99_ms={most:.4g}")
else:
    speed = {"apus": apus, "ranks": ranks, "river": river, "vw": vw}[what](folder, *sys.argv[3:])
    print(f"{what} columns={COLUMNS} samples/s={speed:.0f}")
