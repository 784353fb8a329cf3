"""Snapshot days on disk: landed whole or not at all, and never changed afterwards.
How the Hub is asked is the business of `orchestration.hub`; no orchestrator is imported in either."""

from orchestration.landing.accounts import land_accounts
from orchestration.landing.completeness import CompletenessBounds
from orchestration.landing.days import LandedDay
from orchestration.landing.errors import DayLocked, IncompleteDay, StorageFull, WrongDay
from orchestration.landing.listings import land_listing, land_models

__all__ = [
    "CompletenessBounds",
    "DayLocked",
    "IncompleteDay",
    "LandedDay",
    "StorageFull",
    "WrongDay",
    "land_accounts",
    "land_listing",
    "land_models",
]
