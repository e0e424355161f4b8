"""The demo world: real flights of 2013, really trained models, planted incidents."""

from bot.demo.build import NothingToPage, build
from bot.demo.clock import Clock
from bot.demo.faults import Truth
from bot.demo.flights import DataMissing
from bot.demo.scenarios import Scenario, scenario, scenarios
from bot.demo.world import Alert, CannotMitigate, World

__all__ = [
    "Alert",
    "CannotMitigate",
    "Clock",
    "DataMissing",
    "NothingToPage",
    "Scenario",
    "Truth",
    "World",
    "build",
    "scenario",
    "scenarios",
]
