"""Tables of what Scripts/bench has measured: medians, how many times as fast Apus is, and what is asked for.

    python3 report.py RESULTS RANKS        (a line of RESULTS: subject, program, value; tabs between them)
"""
import sys
from statistics import median

RATES = "samples/s"
# Title, unit, and for each program how many times as fast Apus is asked to be at least.
SUBJECTS = {
    "tiny": ("784-10-10, 16 rows a rank, Adam", RATES, {"numpy+mpi4py": 5, "torch": 80, "attainable": 0.6}),
    "middle": ("784-512-256-10, 128 rows a rank, Adam", RATES, {"numpy+mpi4py": 2.8, "torch": 4, "attainable": 0.95}),
    "large": (
        "1024-4096-4096-100, 256 rows a rank, SGD", RATES, {"numpy+mpi4py": 1.35, "torch": 1.35, "attainable": 0.97}),
    "logistic": ("100-1 logistic, 1,024 rows a rank, SGD", RATES, {"numpy+mpi4py": 2}),
    "row": ("28-1 logistic, one row a step, one rank", RATES, {"scikit-learn": 2, "river": 100}),
    "reduction-540,000": ("sum of 540,000 floats on a node", "us", {"MPI_Allreduce": 4}),
    "reduction-16,777,216": ("sum of 16.8 million floats on a node", "us", {"MPI_Allreduce": 4}),
    "reading-contiguous-28": (
        "shuffled batches of 28 columns from contiguous shards; one process of h5py, 256 rows a time", RATES, {"h5py": 4}),
    "reading-contiguous-784": (
        "shuffled batches of 784 columns from contiguous shards; one process of h5py, 256 rows a time", RATES, {"h5py": 4}),
    "reading-deflated-28": ("shuffled batches of 28 columns from deflated shards; one process of h5py, whole", RATES, {"h5py": 1.5}),
    "reading-deflated-784": ("shuffled batches of 784 columns from deflated shards; one process of h5py, whole", RATES, {"h5py": 1.5}),
    "start": ("from launch to the end of one step (apus) or of nothing", "seconds", {}),
    "memory": ("peak memory of a rank, 784-512-256-10, on 20,000 rows and on 80,000", "MiB", {}),
    "weak": ("784-512-256-10, as many rows a rank on all ranks as on one", RATES, {}),
    "ordered": ("784-512-256-10, ordered and fast reduction", RATES, {"fast": 0.95}),
    "hosts": ("784-512-256-10, 512 rows a rank, two hosts, 1 Gbit/s between them", RATES, {"no-overlap": 1.25}),
    "stream": ("28-1 logistic, a stream of one row a step, one rank", RATES, {"river": 15, "vowpal-wabbit": 10}),
    "stream-latency": ("28-1 logistic, from a row of a growing HDF5 file to the updated model, one row a step", "ms", {}),
    "stream-ranks": ("28-1 logistic, a stream of one row a step, ranks combined in four ways", RATES, {}),
    "csv": ("1,000,000 x 28 numbers, CSV to shards (pandas: read_csv alone)", RATES, {"pandas": 3.5}),
    "csv-memory": ("peak memory of each rank, CSV of 2 GB to shards", "MB", {}),
}
# Units of which less is better.
TIMES = {"us", "ms", "seconds", "MiB", "MB"}


def judged(value, asked, decimals=2):
    """The number beside what is asked for."""
    verdict = "" if value >= asked else "  below"
    return f"{value:12.{decimals}f}{asked:12.{decimals}f}{verdict}"


def limit(title, value, most):
    print(f"{title}: {value:.3g}, asked {most:.3g} at most{'' if value <= most else '  above'}")


def table(subject, programs, ranks):
    title, unit, asked = SUBJECTS[subject]
    own = programs.get("apus")
    rounds = len(next(iter(programs.values())))
    print(f"\n{title}; {ranks} ranks, median of {rounds}")
    print(f"{'':16}{unit:>14}" + (f"{'apus : it':>12}{'asked':>12}" if own else ""))
    for program, values in programs.items():
        line = f"{program:16}{median(values):14,.{0 if unit in (RATES, 'MiB', 'MB') else 3}f}"
        if own and program != "apus":
            pairs = zip(values, own) if unit in TIMES else zip(own, values)
            ratio = median(a / b for a, b in pairs)
            line += judged(ratio, asked[program]) if program in asked else f"{ratio:12.2f}"
        print(line)
    if subject == "start":
        limit("seconds beyond an empty program", median(a - b for a, b in zip(own, programs["empty"])), 0.15)
    if subject == "csv":
        ratio = median(a / b for a, b in zip(programs["apus-1-rank"], programs["pandas"]))
        print(f"one rank : pandas: {ratio:.2f}, asked 2 at least{'' if ratio >= 2 else '  below'}")
    if subject == "csv-memory":
        limit("MB of the rank that has most", max(max(values) for values in programs.values()), 200)
    if subject == "memory":
        small, large = (median(values) for values in programs.values())
        limit("MB on the larger data set", large * 2**20 / 1e6, 64)
        limit("MiB more than on the smaller one", large - small, 1)
    if subject == "stream":
        rate = median(own)
        print(f"rows a second: {rate:,.0f}, asked 1,000,000 at least{'' if rate >= 1e6 else '  below'}")
    if subject == "stream-latency":
        limit("ms at the median", median(programs["median"]), 5)
    if subject == "weak":
        share = median(a / (int(ranks) * b) for a, b in zip(own, programs["1-rank"]))
        print(f"efficiency: {share:.3f}, asked 0.93 at least{'' if share >= 0.93 else '  below'}")


def main(path, ranks):
    runs = {}
    with open(path) as lines:
        for line in lines:
            subject, program, value = line.split("\t")
            runs.setdefault(subject, {}).setdefault(program, []).append(float(value))
    for subject, programs in runs.items():
        table(subject, programs, ranks)


main(*sys.argv[1:])
