"""The house: what may import what, what start-up may cost, and what is part of the application."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from click import Group
from importlinter import cli as importlinter
from setuptools import find_packages

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FLOORS = ("bot", "handlers", "state", "analysis")
HEAVY = ("pandas", "numpy", "scipy", "matplotlib", "sklearn", "ibis", "duckdb", "pyarrow")
NOT_OURS = {".venv", "build", "node_modules", "__pycache__", ".git", ".hawkeye"}


def ours() -> list[Path]:
    """Every file of the project: what git tracks, or what lies here when there is no git."""
    told = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if told.returncode == 0:
        names = [name for name in told.stdout.decode().split("\0") if name]
    else:
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]
    kept = [ROOT / name for name in names if not NOT_OURS & set(Path(name).parts)]
    return [path for path in kept if path.is_file() and ".egg-info" not in str(path)]


def test_imports_point_down() -> None:
    """Both contracts in pyproject.toml hold: the four layers, and the core that knows no Slack."""
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    assert [contract["type"] for contract in contracts[:2]] == ["layers", "forbidden"]
    assert tuple(contracts[0]["layers"]) == FLOORS
    result = importlinter.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert result == importlinter.EXIT_STATUS_SUCCESS


def commands() -> list[str]:
    """Every command of `hawkeye`."""
    from bot.cli import main

    assert isinstance(main, Group)
    return sorted(main.commands)


@pytest.mark.parametrize("command", ["", *commands()])
def test_help_answers_without_the_heavy_libraries(command: str) -> None:
    """Help is a page of text: nobody should wait for pandas to read it."""
    code = (
        "import sys; from bot.cli import main\n"
        f"main([*{command.split()!r}, '--help'], standalone_mode=False)\n"
        f"print('LOADED', *(set({HEAVY!r}) & set(sys.modules)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "Usage:" in told.stdout
    assert told.stdout.splitlines()[-1].split() == ["LOADED"]


def test_no_file_knows_a_machine_or_a_registry() -> None:
    """Paths of somebody's home and addresses of package indexes have no place in the project."""
    folders = "|".join(("home", "root", "Users", "work", "opt"))
    hosts = "|".join((r"py" + r"pi\.org", r"python" + r"hosted\.org", r"npm" + r"js\.(org|com)"))
    # A path starts where a word does; `https://example.com/work/…` is none.
    pattern = re.compile(rf"(?<![\w.:/~}}\)-])/({folders})/\w|{hosts}")
    found = []
    for path in ours():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        for number, line in enumerate(text.splitlines(), 1):
            if match := pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match[0]}")
    assert found == []


def test_every_package_is_part_of_the_application() -> None:
    """A folder with modules on one of the floors is a package, and is installed."""
    include = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    installed = set(find_packages(str(ROOT), include=include))
    folders = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in ours()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in FLOORS
    }
    assert installed == folders


def test_every_file_beside_the_modules_is_part_of_the_application() -> None:
    """Pages, schemas, manifests: what is not Python is listed as data of its package."""
    listed = PROJECT["tool"]["setuptools"]["package-data"]
    forgotten = []
    for path in ours():
        inside = path.relative_to(ROOT)
        if path.suffix == ".py" or inside.parts[0] not in FLOORS:
            continue
        owners = [p for p in inside.parents if (ROOT / p / "__init__.py").exists()]
        patterns = [
            (owner / pattern).as_posix()
            for owner in owners
            for pattern in listed.get(".".join(owner.parts), [])
        ]
        if not any(fnmatch(inside.as_posix(), pattern) for pattern in patterns):
            forgotten.append(inside.as_posix())
    assert forgotten == []


def test_the_scripts_can_be_run() -> None:
    """What make and CI call is executable, and takes no step after a failed one."""
    for name in (".ci/run", ".ci/venv"):
        path = ROOT / name
        assert os.access(path, os.X_OK), name
        assert re.search(r"^set -eu", path.read_text(), re.MULTILINE), name
