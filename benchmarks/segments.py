"""`hawkeye segments` on planted cubes, beside Adtributor; and on public cases where there are some.

A segment counts where it is exactly the planted one (F1 over all cases), as in Li et al. 2019.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from click.testing import CliRunner

from benchmarks import public
from benchmarks.cells import Cube, Where, cube, ratio
from benchmarks.table import Row
from bot.cli import main

CASES, RATIOS, CLEAN = 60, 20, 20
ENOUGH_EACH, ENOUGH = 0.1, 0.67
"""Adtributor's thresholds as published: of one element's share, of the explanation's."""


def rows(folder: Path) -> Iterator[Row]:
    """Planted causes, ratios, clean cubes, then what the public folder holds."""
    path = folder / "cells.csv"
    ours, theirs, seconds = Counter[str](), Counter[str](), []
    for seed in range(CASES):
        case = cube(seed)
        found, took = _asked(case, path, "--actual", "actual", "--expected", "expected")
        seconds.append(took)
        _count(ours, set(found), set(case.truth))
        _count(theirs, adtributor(case.frame, case.dims), set(case.truth))
    yield Row(
        f"segments: exact F1, {CASES} cubes of 10⁴–10⁵ cells, 1–3 causes",
        f"{_f1(ours):.3f}; median {np.median(seconds):.2f} s, slowest {max(seconds):.2f} s",
        f"Adtributor {_f1(theirs):.3f}",
    )
    told = Counter[str]()
    for seed in range(RATIOS):
        case = ratio(seed)
        found = _over_time(case, path)
        _count(told, set(found.items()), set(case.truth.items()))
    yield Row(f"segments: exact F1 with mix or rate told, {RATIOS} ratios", f"{_f1(told):.3f}")
    wrong = sum(
        bool(_asked(cube(seed, causes=0), path, "--actual", "actual", "--expected", "expected")[0])
        for seed in range(1000, 1000 + CLEAN)
    )
    yield Row("segments: clean cubes in which something is named", f"{wrong} of {CLEAN}")
    yield from _public(folder)


def _public(folder: Path) -> Iterator[Row]:
    for name, cases in public.segment_sets(folder).items():
        ours, seconds = Counter[str](), list[float]()
        for arguments, truth in cases:
            found, took = _run(arguments)
            seconds.append(took)
            _count(ours, set(found), truth)
        yield Row(
            f"segments: exact F1, {name} ({len(seconds)} cases)",
            f"{_f1(ours):.3f}; median {np.median(seconds):.2f} s, slowest {max(seconds):.2f} s",
        )


def _asked(case: Cube, path: Path, *options: str) -> tuple[dict[Where, str], float]:
    case.frame.to_csv(path, index=False)
    return _run([str(path), "--dims", ",".join(case.dims), *options])


def _over_time(case: Cube, path: Path) -> dict[Where, str]:
    """The same cells as two moments of amounts."""
    dims = list(case.dims)
    then = case.frame[dims].assign(t=0, v=case.frame["expected"], n=case.frame["below_was"])
    now = case.frame[dims].assign(t=1, v=case.frame["actual"], n=case.frame["below"])
    pd.concat([then, now]).to_csv(path, index=False)
    options = ("--value", "v", "--denominator", "n", "--time", "t", "--since", "1")
    return _run([str(path), "--dims", ",".join(dims), *options])[0]


def _run(arguments: list[str]) -> tuple[dict[Where, str], float]:
    result = CliRunner().invoke(main, ["segments", *arguments, "--json"])
    if result.exit_code:
        raise RuntimeError(result.output)
    answer: dict[str, Any] = json.loads(result.output)
    return (
        {frozenset(s["where"].items()): s["effect"] for s in answer["segments"]},
        answer["seconds"],
    )


def adtributor(frame: pd.DataFrame, dims: Iterable[str]) -> set[Where]:
    """The elements of the one dimension whose shares changed most surprisingly.

    Bhagwan et al. 2014, "Adtributor: Revenue Debugging in Advertising Systems", algorithm 1.
    """
    change = frame["actual"].sum() - frame["expected"].sum()
    best: tuple[float, set[Where]] = (-1.0, set())
    for dim in dims:
        part = frame.groupby(dim)[["actual", "expected"]].sum()
        p, q = part["expected"] / part["expected"].sum(), part["actual"] / part["actual"].sum()
        with np.errstate(all="ignore"):
            surprise = 0.5 * (
                np.nan_to_num(p * np.log(2 * p / (p + q)))
                + np.nan_to_num(q * np.log(2 * q / (p + q)))
            )
        power = ((part["actual"] - part["expected"]) / change).to_numpy()
        chosen: list[int] = []
        for at in np.argsort(-surprise):
            if power[at] > ENOUGH_EACH:
                chosen.append(int(at))
            if power[chosen].sum() > ENOUGH:
                total = float(surprise[chosen].sum())
                named = {frozenset({(dim, str(part.index[i]))}) for i in chosen}
                best = max(best, (total, named), key=lambda b: b[0])
                break
    return best[1]


def _count(total: Counter[str], found: set[Any], truth: set[Any]) -> None:
    total["hit"] += len(found & truth)
    total["wrong"] += len(found - truth)
    total["missed"] += len(truth - found)


def _f1(total: Counter[str]) -> float:
    return 2 * total["hit"] / max(2 * total["hit"] + total["wrong"] + total["missed"], 1)
