"""Which failures of a step pass by themselves, and when it is tried again; whatever else is wrong fails at once, since a person
has to look. How single answers of the Hub are asked for again, within one try, belongs to `orchestration/hub/client.py`."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from orchestration.hub.errors import HubUnavailable, HubUnreachable
from orchestration.landing.errors import DayLocked
from orchestration.landing.sources import SourceUnavailable
from orchestration.publishing import PublisherBusy, WarehouseBusy
from orchestration.settings import Settings

# The network or the Hub is down (the client's own tries, half an hour of them, are over by then), or a process has a lock.
# Not among them: what the data is like, what a setting says, what the code does, a full disk. 2026-11-29.
PASSES_BY_ITSELF = (HubUnreachable, HubUnavailable, SourceUnavailable, DayLocked, WarehouseBusy, PublisherBusy)
# After 1, 4, 16 and 64 minutes by default: an outage of an hour and a half is got over, and a day that is asked for at noon
# still lands long before its midnight. 2026-11-29.
GROWTH = 4


@contextmanager
def tried_again_if_it_passes(context: dg.AssetExecutionContext, settings: Settings) -> Iterator[None]:
    """Around a step's work: ask Dagster for another try after a failure that passes by itself.

    Raises what was raised if it doesn't pass, or after the last try.
    """
    try:
        yield
    except PASSES_BY_ITSELF as error:
        if context.retry_number >= settings.step_retries:
            raise
        seconds = settings.retry_seconds * GROWTH**context.retry_number
        context.log.warning(f"Tried again in {seconds:.0f} s, for this passes by itself: {error}")
        raise dg.RetryRequested(max_retries=settings.step_retries, seconds_to_wait=seconds) from error
