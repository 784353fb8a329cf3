"""What can go wrong between us and the Hub, and the one table that says what is tried again and what stops a run.
Errors of other stages live there and only inherit from `ObservatoryError`; nothing here sleeps or retries."""

from dataclasses import dataclass
from enum import Enum

import httpx2


class ObservatoryError(Exception):
    """An error that a person can act on: what was found, what was expected, what to do."""

    def __init__(self, found: str, *, expected: str = "", do_this: str = ""):
        parts = [found.rstrip(".") + "."]
        if expected:
            parts.append(f"Expected: {expected.rstrip('.')}.")
        if do_this:
            parts.append(f"Do this: {do_this.rstrip('.')}.")
        super().__init__(" ".join(parts) if expected or do_this else found)


class HubUnreachable(ObservatoryError):
    """No connection to the Hub was ever made."""

    def __init__(self, endpoint: str, cause: str):
        self.endpoint = endpoint
        super().__init__(
            f"The Hub at {endpoint} can't be reached ({cause}): check the network and OBSERVATORY_HUB_ENDPOINT, "
            "or see everything work offline with `make demo`."
        )


class HubUnavailable(ObservatoryError):
    """The Hub answered before, but failures that usually pass did not pass in time."""


class HubConfigurationError(ObservatoryError):
    """The Hub refuses what we ask: a person has to change a setting or the code. `status` and `said` are the Hub's."""

    def __init__(self, found: str, *, expected: str = "", do_this: str = "", status: int | None = None, said: str = ""):
        super().__init__(found, expected=expected, do_this=do_this)
        self.status = status
        self.said = said


class HubIntegrityError(ObservatoryError):
    """The Hub broke a promise that the walk rests on, so rows may be missing or repeated."""


class MalformedBody(Exception):
    """A reply with a good status whose body isn't what was asked for; becomes `HubIntegrityError` if it stays so."""


class Action(Enum):
    RETRY = "try again, with backoff: ten tries and half an hour at most (`client.RetryPolicy`)"
    WAIT = "wait as the server says; counts as a try only after three rate-limit windows"
    CONFIGURATION = "stop: a setting or the code is wrong"
    INTEGRITY = "stop: the rows can't be trusted"
    QUARANTINE = "go on: the row lands, what is wrong in it doesn't, and both are told in the day's manifest"


@dataclass(frozen=True)
class Treatment:
    """One line of the table: what is seen, what is done, and why."""

    seen: str
    action: Action
    because: str
    statuses: frozenset[int] = frozenset()
    exceptions: tuple[type[Exception], ...] = ()


# The first line that matches decides. A status that no line names is a configuration error: never retry the unknown. The
# last lines have no exception of their own: they are decided where bytes and values are read (`client`, `readers`).
TREATMENTS: tuple[Treatment, ...] = (
    Treatment(
        "an address that is no address",
        Action.CONFIGURATION,
        "no retry repairs a setting",
        exceptions=(httpx2.UnsupportedProtocol, httpx2.InvalidURL),
    ),
    Treatment(
        "timeout, broken or refused connection, cut or undecodable body",
        Action.RETRY,
        "the network between us and the Hub fails for seconds at a time",
        exceptions=(httpx2.TransportError, httpx2.DecodingError),
    ),
    Treatment(
        "200 with HTML, nothing, half a document, an object for a list, or rows without ids",
        Action.RETRY,
        "proxies and overloaded servers answer so; the same question usually gets its page (else: integrity)",
        exceptions=(MalformedBody,),
    ),
    Treatment(
        "408, 425, 500, 502, 503, 504, 520–530",
        Action.RETRY,
        "the server, or the network in front of it, is in trouble; 52x are the CDN's",
        statuses=frozenset({408, 425, 500, 502, 503, 504, *range(520, 531)}),
    ),
    Treatment("429", Action.WAIT, "we are too fast, which is no failure", statuses=frozenset({429})),
    Treatment(
        "400",
        Action.CONFIGURATION,
        "the question is wrong; the walk may leave out optional fields once and ask again",
        statuses=frozenset({400}),
    ),
    Treatment(
        "401, 403",
        Action.CONFIGURATION,
        "the token is wrong; going on without it would silently change what is seen and how fast",
        statuses=frozenset({401, 403}),
    ),
    Treatment(
        "404, redirects, anything else",
        Action.CONFIGURATION,
        "the address isn't a Hub's, unless the caller takes this status as an answer",
    ),
    Treatment(
        "ids out of order, an odd or looping next page, more rows than asked for, too many pages",
        Action.INTEGRITY,
        "a keyset walk is only complete if these hold; a silent gap would look like deletions",
        exceptions=(HubIntegrityError,),
    ),
    Treatment(
        "the very same bytes twice that are no UTF-8",
        Action.QUARANTINE,
        "then they are what the Hub has: replaced by U+FFFD and counted; an `_id` so spoilt breaks the order and stops",
    ),
    Treatment(
        "a value that its column can't hold, a field that no column is read from",
        Action.QUARANTINE,
        "null, named in `cast_errors` and kept as it came in `extra`; too many of them stop at the completeness gate",
    ),
)


def action_for_status(status: int) -> Action:
    """What to do about an HTTP status that isn't the answer."""
    return next((line.action for line in TREATMENTS if status in line.statuses), Action.CONFIGURATION)


def action_for_exception(error: Exception) -> Action | None:
    """What to do about an exception; None means it isn't ours to treat."""
    return next((line.action for line in TREATMENTS if isinstance(error, line.exceptions)), None)
