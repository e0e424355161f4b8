"""A Spark cluster: HawkEye is an application of it, with a driver in this process' care."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from contextlib import suppress
from functools import cache
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

SETTINGS = {
    "spark.app.name": "HawkEye",
    # Executors that nobody has needed for a minute give their cores back to the cluster.
    "spark.dynamicAllocation.enabled": "true",
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
"""Spark's settings by its own names; those in the address go before them."""
REACH_SECONDS = 10.0


def session(url: str) -> Any:
    """A session on ``spark://host:port/schema?spark.setting=value``, with views of its own.

    The application starts with the first session of the process, in about five seconds, and is
    the same for the next ones. Raises OSError when no master answers, and what Spark raises.
    """
    from pyspark.sql import SparkSession

    _silence()
    schema = urlsplit(url).path
    url = urlsplit(url)._replace(path="").geturl()
    if _context(url)._jsc.sc().isStopped():  # the cluster was restarted, say
        _context(url).stop()
        _context.cache_clear()
    opened = SparkSession(_context(url)).newSession()
    if schema := schema.strip("/"):
        opened.catalog.setCurrentDatabase(schema)
    return opened


def _silence() -> None:
    """What Spark refuses becomes a sentence elsewhere; PySpark 4 would print it as well."""
    with suppress(ImportError):
        from pyspark.logger import PySparkLogger

        PySparkLogger.getLogger("SQLQueryContextLogger").disabled = True


@cache
def _context(url: str) -> Any:
    from pyspark import SparkContext

    _reach(urlsplit(url))
    return SparkContext(conf=_settings(url), gateway=_driver(url))


@cache
def _driver(url: str) -> Any:
    """The driver's Java process, which ends with this one. What it tells before its log has a
    level is for nobody, and standard output belongs to the command's own answer."""
    from pyspark.java_gateway import launch_gateway

    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise FileNotFoundError("Spark's driver needs Java 17 or 21, and there is none")
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return launch_gateway(_settings(url), silent)


def _settings(url: str) -> Any:
    from pyspark import SparkConf

    address = urlsplit(url)
    told = SETTINGS | {"spark.master": f"spark://{address.netloc}"} | dict(parse_qsl(address.query))
    return SparkConf().setAll(list(told.items()))


def _reach(address: SplitResult) -> None:
    """Whether a master answers: Spark's driver would try for a minute."""
    *others, last = address.netloc.split(",")
    for each in others:
        try:
            return _connect(each)
        except OSError:
            continue
    return _connect(last)


def _connect(place: str) -> None:
    host, _, port = place.rpartition(":")
    socket.create_connection((host, int(port)), REACH_SECONDS).close()
