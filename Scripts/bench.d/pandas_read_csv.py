"""pandas' read_csv of a table of numbers into memory, and nothing else (its default engine, in C).

    python3 pandas_read_csv.py table.csv
"""
import resource
import sys
import time

import pandas

start = time.perf_counter()
table = pandas.read_csv(sys.argv[1])
seconds = time.perf_counter() - start
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(f"pandas rows={len(table)} columns={table.shape[1]} seconds={seconds:.3f} samples/s={len(table) / seconds:.0f} rss_MiB={memory}")
