"""The one-pass summary that all checks of distributions share."""

from analysis.profile.bins import Bins, Kind, bins_of, kinds, plain
from analysis.profile.counts import Counts, Profile, distance
from analysis.profile.scan import profile

__all__ = [
    "Bins",
    "Counts",
    "Kind",
    "Profile",
    "bins_of",
    "distance",
    "kinds",
    "plain",
    "profile",
]
