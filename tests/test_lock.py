"""The locks: complete, hashed, the same everywhere, and free of licences that we can't take."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from itertools import product
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = (
    "requirements-build.txt",
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-engines.txt",
)
PLATFORMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "macos": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def pins(name: str) -> list[tuple[Requirement, list[str]]]:
    """Each pinned requirement of a lock with its hashes."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith((" ", "#"))]
    return [
        (Requirement(line.split(" --hash")[0]), re.findall(r"--hash=(\S+)", line)) for line in lines
    ]


def taken(name: str, python: str, platform: str) -> dict[str, list[str]]:
    """Names to versions that a lock installs there."""
    where = {
        "python_version": python,
        "python_full_version": f"{python}.2",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_machine": "x86_64",
        **PLATFORMS[platform],
    }
    found: dict[str, list[str]] = {}
    for pin, _ in pins(name):
        marker: Marker | None = pin.marker
        if marker is None or marker.evaluate(where):
            version = str(pin.specifier).removeprefix("==")
            found.setdefault(canonicalize_name(pin.name), []).append(version)
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_everything_is_pinned_and_hashed(name: str) -> None:
    """One exact version and at least one SHA-256 for each."""
    assert pins(name)
    for pin, hashes in pins(name):
        assert re.fullmatch(r"==[\w.!+]+", str(pin.specifier)), pin
        assert hashes, pin
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", h) for h in hashes), pin


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_knows_where_it_was_made(name: str) -> None:
    """No index, no address, no path, in the header neither."""
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert not re.search(r"(^|\s)(-i|-f|-e|--\w*index\S*|--find-links|--trusted-host)\s", text)
    assert not re.search(r"(^|[\s=@])(/|~/|\./|\w:\\)", text)


@pytest.mark.parametrize(("python", "platform"), list(product(PYTHONS, PLATFORMS)))
def test_each_python_gets_one_version_of_all_that_we_ask_for(python: str, platform: str) -> None:
    """The wishes of pyproject.toml are met, on every Python and system that we support."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    wishes = {
        "requirements-build.txt": PROJECT["build-system"]["requires"],
        "requirements.txt": project["dependencies"] + extras["demo"],
        "requirements-dev.txt": project["dependencies"] + extras["demo"] + extras["dev"],
        "requirements-engines.txt": [w for extra in extras.values() for w in extra],
    }
    for name, wanted in wishes.items():
        there = taken(name, python, platform)
        assert all(len(versions) == 1 for versions in there.values()), there
        for wish in map(Requirement, wanted):
            assert wish.specifier.contains(there[canonicalize_name(wish.name)][0]), wish


def test_tests_run_on_what_is_shipped() -> None:
    """The lock for tests holds the same versions as the one for the demo, and more."""
    for python, platform in product(PYTHONS, PLATFORMS):
        small = taken("requirements.txt", python, platform)
        large = taken("requirements-dev.txt", python, platform)
        engines = taken("requirements-engines.txt", python, platform)
        assert small.items() <= large.items() <= engines.items()
        assert len(small) < len(large) < len(engines)


def test_nothing_that_we_ship_is_under_the_gpl() -> None:
    """Neither GPL nor LGPL: the licence of every installed library of the lock is looked at."""
    looked_at = 0
    for pin, _ in pins("requirements.txt"):
        try:
            about = metadata(pin.name)
        except PackageNotFoundError:
            continue  # for another Python or system
        looked_at += 1
        said = [about.get("License-Expression") or "", *(about.get_all("Classifier") or [])]
        said.append((about.get("License") or "")[:200])
        words = " ".join(said)
        assert not re.search(r"\bL?GPL|General Public License", words), pin.name
    assert looked_at > 40
