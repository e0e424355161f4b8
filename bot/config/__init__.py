"""The settings: read from ``hawkeye.toml`` and the environment, checked against the tables."""

from bot.config.inspect import check
from bot.config.load import load, require_slack
from bot.config.people import Route, Workspace
from bot.config.problems import SettingsError
from bot.config.secrets import Secrets
from bot.config.settings import Settings
from bot.config.walk import Mitigation

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
