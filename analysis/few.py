"""What is too few to show: a figure of few rows could be one person's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analysis.evidence import CannotExamine, Scope
from analysis.quality import Estimate
from analysis.warehouse import ROLES, Warehouse

FEWEST_ROWS = 20
"""Neither a value of a dimension nor filtered traffic of fewer rows than this is shown."""
FEWEST_IN_A_CELL = 5
"""Of what is shown, neither a point nor a mean of fewer rows than this."""


def enough_pass(warehouse: Warehouse, scope: Scope) -> None:
    """Raises CannotExamine where so few rows pass the scope's filters that none may be shown.

    Filters that only a metric's own table has are that table's matter.
    """
    known = {*warehouse.dimensions, *ROLES}
    if not scope.filters or any(f.dimension not in known for f in scope.filters):
        return
    log = warehouse.predictions(scope.window)
    found = int(warehouse.fetch(log.aggregate(n=log.count()))["n"].iloc[0])
    if found < FEWEST_ROWS:
        where = " and ".join(str(f) for f in scope.filters)
        raise CannotExamine(
            f"Fewer than {FEWEST_ROWS} rows of the window are where {where}: of so few I show no "
            "figure. Look again with another filter, or over a wider window."
        )


def shown(warehouse: Warehouse, found: Estimate) -> Estimate:
    """What may be shown of filtered traffic: no value of fewer rows than FEWEST_IN_A_CELL."""
    if not warehouse.filters:
        return found
    return replace(found, value=np.where(found.rows < FEWEST_IN_A_CELL, np.nan, found.value))
