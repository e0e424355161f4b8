"""Evidently: a report of drift for each hour; a few of them, after one that warms it up."""

import json
import sys
import time
from importlib.metadata import version

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

MEASURED = 3

log = pd.read_parquet(sys.argv[1])
hour = (log["at"] - log["at"].min()) // pd.Timedelta(hours=1)
log = log.drop(columns="at")
reference = Dataset.from_pandas(log[hour < 24], data_definition=DataDefinition())
took = []
for number in range(24, 25 + MEASURED):
    began = time.perf_counter()
    current = Dataset.from_pandas(log[hour == number], data_definition=DataDefinition())
    Report([DataDriftPreset()]).run(current, reference).dict()
    took.append(time.perf_counter() - began)
told = {"seconds": sum(took[1:]), "measured": MEASURED, "hours": int(hour.max()) + 1 - 24}
print(json.dumps({**told, "version": version("evidently")}))
