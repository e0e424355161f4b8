"""whylogs: a profile of each hour."""

import json
import sys
import time
from importlib.metadata import version

import pandas as pd
import whylogs

began = time.perf_counter()
log = pd.read_parquet(sys.argv[1])
levels = log.select_dtypes("category").columns
log[levels] = log[levels].astype(str)
hour = (log["at"] - log["at"].min()) // pd.Timedelta(hours=1)
log = log.drop(columns="at")
for _, rows in log.groupby(hour):
    whylogs.log(pandas=rows).view()
hours = int(hour.max()) + 1
told = {"seconds": time.perf_counter() - began, "measured": hours, "hours": hours}
print(json.dumps({**told, "version": version("whylogs")}))
