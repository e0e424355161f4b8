"""One thread for the numerical libraries of a process.

Their thread pools wait by spinning: two processes on two cores, each with two such threads, were
seen to take three times as long as with one thread each. The data are small samples; the engine
that reads the tables has threads of its own.
"""

import os

NAMES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def one_thread() -> None:
    """Has effect on libraries that are imported afterwards."""
    for name in NAMES:
        os.environ[name] = "1"
