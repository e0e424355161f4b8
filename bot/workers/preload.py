"""Imports the libraries that checks use, once, before there is a check to wait for them.

The server that workers are forked from imports this module, so that a worker starts with
everything in memory and one that was stopped is replaced in a moment.
"""

import contextlib
import importlib
import os

from bot.threads import one_thread

# A fork must not meet a thread, either.
one_thread()
os.environ.setdefault("MPLBACKEND", "agg")

LIBRARIES = (
    "numpy",
    "pandas",
    "pyarrow",
    "duckdb",
    "ibis",
    "ibis.backends.duckdb",
    "scipy.stats",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "matplotlib.figure",
    "matplotlib.dates",
    "matplotlib.backends.backend_agg",
    "networkx",
    "ruptures",
)

for name in LIBRARIES:
    # A library that is missing or broken is the check's to report, in the thread that asked.
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
