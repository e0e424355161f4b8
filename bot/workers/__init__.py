"""Warm worker processes with limits of time and memory."""

from bot.workers.errors import Stopped, TooBig, TooLong, WorkerLost
from bot.workers.pool import Workers

__all__ = ["Stopped", "TooBig", "TooLong", "WorkerLost", "Workers"]
