"""A Spark cluster of the tests' own: a master and two workers, on loopback, in a folder that goes
when they end."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

_DEPLOY = "org.apache.spark.deploy"
_LOOPBACK = ("--host", "127.0.0.1", "--webui-port", "0")
_START_SECONDS = 60


def find() -> str | None:
    """The folder of Spark, where it and Java are there."""
    spec = find_spec("pyspark")
    return str(Path(spec.origin).parent) if spec and spec.origin and _java() else None


def _java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    return f"{home}/bin/java" if home else shutil.which("java")


@contextmanager
def cluster() -> Iterator[str]:
    """Starts a cluster, gives its address, and stops it."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="hawkeye-spark-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        master = stack.enter_context(_daemon(folder / "master", "master.Master", "--port", "0"))
        (url,) = _told(master, r"Starting Spark master at (spark://\S+)")
        size = ("--cores", "1", "--memory", "700M")
        workers = [folder / "first", folder / "second"]
        for place in workers:
            stack.enter_context(_daemon(place, "worker.Worker", *size, "--work-dir", place, url))
        for place in workers:
            _told(place, r"(Successfully registered with master)")
        yield url


@contextmanager
def _daemon(place: Path, kind: str, *arguments: str | Path) -> Iterator[Path]:
    """One process of the cluster; what it tells stands in ``log`` at its place."""
    home = find()
    assert home is not None, "a test that uses Spark needs the marker `spark`"
    place.mkdir()
    # Spark's own script, which would start a second Java only to find these, sets them too.
    env = os.environ | {"SPARK_HOME": home, "SPARK_SCALA_VERSION": "2.13"}
    env |= {"SPARK_LOCAL_IP": "127.0.0.1"}
    java = [_java() or "java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", f"{home}/jars/*"]
    command = [*java, f"{_DEPLOY}.{kind}", *_LOOPBACK, *arguments]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        yield place
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()


def _told(place: Path, wanted: str) -> tuple[str, ...]:
    """What a process tells once it is ready."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        told = (place / "log").read_text(errors="replace")
        if found := re.search(wanted, told):
            return found.groups()
        time.sleep(0.1)
    raise AssertionError(f"{place.name} is not ready after {_START_SECONDS} s:\n{told[-3000:]}")
