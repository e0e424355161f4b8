"""What can happen to work besides its own errors; each message can be shown to the on-call."""

from analysis.budget import OverBudget


class Stopped(Exception):
    """Work that did not come to its end; the message says what, how much, and what to do next."""

    for_people = True


class TooLong(Stopped, OverBudget):
    """The work took longer than it may; its worker was stopped and replaced."""


class TooBig(Stopped):
    """The work or its result needed more memory than it may."""


class WorkerLost(Stopped):
    """The worker died under the work, could not start, or was stopped with the whole pool."""
