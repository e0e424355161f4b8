"""``hawkeye export``: the record of an incident as files, without Slack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot.plugins import tree
from handlers.record.files import FORMATS
from handlers.record.material import material
from state.store import Store

if TYPE_CHECKING:
    from bot.config import Settings


class UnknownIncident(Exception):
    """The store has no such incident; the message names those that it has."""


def write(settings: Settings, incident: str, forms: Sequence[str], out: Path) -> Iterator[Path]:
    """Write the files and give their paths. People are named by their Slack ids.

    Raises UnknownIncident.
    """
    stores = [Store(path) for path in _paths(settings)]
    if not stores:
        raise UnknownIncident(f"{settings.state_path}: there is no store; has the bot run yet?")
    name = incident.upper()
    kept = next((store for store in stores if store.load(name)), stores[0])
    found = material(kept, name, tree(), link=_link(kept, name))
    if found is None:
        newest = [i for store in stores for i in store.recent(5)]
        known = ", ".join(i.id for i in newest) or "none yet"
        raise UnknownIncident(f"There is no incident {incident}; the newest are: {known}.")
    out.mkdir(parents=True, exist_ok=True)
    for form in forms or FORMATS:
        for file in FORMATS[form](found, str(settings.path.resolve())):
            path = out / file.name
            path.write_bytes(file.data)
            yield path


def _paths(settings: Settings) -> list[Path]:
    """The stores that are there: one, or one for each installation."""
    paths = [settings.state_of(key) for key in settings.slack.installations]
    return [path for path in paths if path.exists()]


def _link(store: Store, incident: str) -> str:
    return str(store.settings(f"link:{incident}") or "")
