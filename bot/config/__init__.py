"""The settings: read from ``hawkeye.toml`` and the environment, checked against the tables."""

from bot.config.inspect import check
from bot.config.load import load, require_slack
from bot.config.problems import SettingsError
from bot.config.settings import Mitigation, Route, Secrets, Settings, Workspace

__all__ = [
    "Mitigation",
    "Route",
    "Secrets",
    "Settings",
    "SettingsError",
    "Workspace",
    "check",
    "load",
    "require_slack",
]
