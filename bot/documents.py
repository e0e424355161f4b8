"""Writes the pages of the docs that come from code: ``python -m bot.documents``.

A test holds the pages to what this would write.
"""

from __future__ import annotations

import json
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"

_HEADLESS = """# The walk without Slack

```
hawkeye triage SUBJECT --config hawkeye.toml --auto --json
```

walks the tree over your tables and accepts every proposal. SUBJECT is a metric, a model or a
feature. `--since` says when it began (default: 24 hours before the newest prediction), `--now` as
of when the tables are read (default: just after that; what is dated in the future is left out, and
how much that is is said), `--at` at which node to start. Without `--auto` you are asked at every
branch; without `--json` the walk is told in sentences. Progress goes to standard error.

A step that could not look says why in its headline; its verdict and confidence are null, and the
walk goes on. When none could look for one and the same reason, that goes to standard error and the
exit code is 1. Otherwise it is 0, whatever the walk concludes.

A step that would read more than `[budget]` allows ends the walk: how much it would read goes to
standard error, with exit code 1. `--over-budget` lets every step read what it needs. Seconds do
not count here: a step takes as long as it needs, and Ctrl-C ends the walk.

With `--auto` a walk whose conclusion is less than 90 % sure then goes back to where it was least
sure and takes the branches that it had not taken, two at most, of 3 % or more. `candidates` are the
conclusion and what else it could be, with a probability each. It can take as long as the walk did.

The confidence of `unknown` is the probability that no step on the way should have gone elsewhere;
for each that could not look it is halved. A walk that finds nothing after an alert that was hardly
clear ends in `false_alarm`.

It prints one JSON object, described by this JSON Schema:

```json
{schema}
```
"""


def pages() -> dict[str, str]:
    """File name to text."""
    from bot.plugins import tree
    from bot.report import schema
    from state.describe import markdown

    shown = json.dumps(schema(), indent=2)
    return {"tree.md": markdown(tree()), "headless.md": _HEADLESS.replace("{schema}", shown)}


def main() -> None:
    """Write the pages."""
    for name, text in pages().items():
        (DOCS / name).write_text(text)


if __name__ == "__main__":
    main()
