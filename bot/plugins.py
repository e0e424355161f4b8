"""What a team adds without touching our code: nodes, alert formats, mitigations.

A plugin is a package with an entry point in the group ``hawkeye``; its functions are marked with
``hookimpl``. See docs/plugins.md.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pluggy

from state.tree import Tree

if TYPE_CHECKING:
    from bot.config import Settings
    from handlers.mitigations import Action

GROUP = "hawkeye"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


class Hooks:
    """The hooks."""

    @hookspec
    def hawkeye_tree(self, tree: Tree) -> Tree | None:
        """The tree with nodes added or replaced; None leaves it as it is. Plugins come in turn."""

    @hookspec
    def hawkeye_alert_formats(self) -> dict[str, Any]:
        """Alert formats by name: functions from a payload to alerts (handlers.alerts.Format)."""
        return {}

    @hookspec
    def hawkeye_mitigations(self, settings: Settings) -> list[Action]:
        """Mitigations beside those of the settings."""
        del settings
        return []


@cache
def manager() -> pluggy.PluginManager:
    """The plugins that are installed."""
    found = pluggy.PluginManager(GROUP)
    found.add_hookspecs(Hooks)
    found.load_setuptools_entrypoints(GROUP)
    return found


@cache
def tree() -> Tree:
    """The tree that we ship, as the installed plugins want it."""
    from state.hawkeye import TREE

    wanted = TREE
    for plugin in manager().get_plugins():
        hook = getattr(plugin, "hawkeye_tree", None)
        wanted = (hook(tree=wanted) or wanted) if hook else wanted
    return wanted


def alert_formats() -> dict[str, Any]:
    """Alert formats that plugins add."""
    return {
        name: f for found in manager().hook.hawkeye_alert_formats() for name, f in found.items()
    }


def mitigations(settings: Settings) -> list[Action]:
    """Mitigations that plugins add."""
    found: list[list[Action]] = manager().hook.hawkeye_mitigations(settings=settings)
    return [action for actions in found for action in actions]
