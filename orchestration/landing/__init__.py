"""Snapshot days on disk: landed whole or not at all, and never changed afterwards.
How the Hub is asked is the business of `orchestration.hub`; no orchestrator is imported in either."""

from orchestration.landing.accounts import land_accounts
from orchestration.landing.completeness import CompletenessBounds
from orchestration.landing.days import LandedDay
from orchestration.landing.errors import DayLocked, IncompleteDay, WrongDay
from orchestration.landing.models import land_models

__all__ = [
    "CompletenessBounds",
    "DayLocked",
    "IncompleteDay",
    "LandedDay",
    "WrongDay",
    "land_accounts",
    "land_models",
]
