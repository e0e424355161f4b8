"""What was measured, and when, in the words of an alert: it is another every time.

A number that only follows a word is part of a name, as in "Ranker 2" or "shard 12".
"""

from __future__ import annotations

import re
from calendar import month_abbr, month_name

_MONTH = rf"(?i:{'|'.join([*month_name[1:], 'Sept', *month_abbr[1:]])})"
_CLOCK = r"\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?\s?(?:Z|UTC|[-+]\d\d:?\d\d|(?i:[ap]m))?"
_DATES = (
    rf"\d{{4}}-\d\d-\d\d(?:[T ]{_CLOCK})?",
    r"\d\d?(?P<mark>[./])\d\d?(?P=mark)(?:\d{4}|\d\d)",
    rf"\d\d?(?:st|nd|rd|th|\.)? {_MONTH}(?: \d{{4}})?",
    rf"{_MONTH} \d\d?(?:st|nd|rd|th)?(?:,? \d{{4}})?",
    r"\d\d?(?i:[ap]m)",
    _CLOCK,
)
_SPLIT = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+[.,]\d+(?:e[-+]?\d+)?|\d+e[-+]?\d+"
"""Numbers that show by themselves that they are measured."""
_UNIT = (
    r"(?:\s?(?:[%‰]|°[CF]?|(?i:[nuµμm]s|secs?|seconds?|mins|minutes?"
    r"|[kmgt]i?b(?:/s)?|bytes|percent|pp|[bqr]ps))"
    # Single letters only without a space between: "Ranker 2 s" is none. Hours and days are mostly a
    # metric's window: "CTR 7d" is not "CTR 28d".
    r"|s|m|min|k|K|M|bn|x)"
)
_MEASURED = (rf"[-+]?(?:{_SPLIT}){_UNIT}?", rf"[-+]?\d+{_UNIT}")
_BEFORE = r"[=<>≤≥≈~]\s*|\b(?i:of|than|above|below|over|under)\s+|\[(?:FIRING|RESOLVED):"
"""What stands before a number that is measured, whatever it looks like."""
_FIGURE = re.compile(
    rf"(?:(?P<before>{_BEFORE})[-+]?(?:{_SPLIT}|\d+)|(?<![\w.-])(?:{'|'.join(_DATES + _MEASURED)}))"
    r"(?!\w|-\w|[.,:/]\d)"
)


def without_figures(text: str) -> str:
    """The text with "#" in place of each measurement, date and time."""
    return _FIGURE.sub(r"\g<before>#", text)
