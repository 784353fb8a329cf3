"""The rules of misbehaviour: a fault, the replies that it strikes, and the registry of the kinds that there are.
What each kind does is in `reply_faults` and `row_faults`; rules are read and put in force by `faults`."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from orchestration.sandbox.listing_kinds import LISTINGS

ROUTES = (
    *LISTINGS,
    "model_info",
    "organization",
    "user",
    "commits",
    "dataset",
    "resolve",
    *(f"{name}-json" for name in LISTINGS),
)
"""The names of the routes: listings, one model, overviews, an archive's commits, what else its API tells, its files,
and what the site counts."""


class FaultError(ValueError):
    """A fault that is described wrongly; says what was found, what was expected, and what to do."""


@dataclass
class Reply:
    """A finished answer before it is sent: change it to misbehave. The body is not compressed yet."""

    status: int
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes
    url: str
    """The address that was asked, absolute."""
    route: str
    day: date
    """The day that the sandbox shows."""
    now: datetime
    """The sandbox's present, UTC."""
    is_compressed: bool = False
    """Whether the body is going to be sent as gzip."""
    previous_body: bytes | None = None
    """The body of the page served before this one, of the same listing."""
    delay: float = 0.0
    """Seconds to wait before the first byte."""
    drip: float = 0.0
    """Seconds over which the body trickles."""
    deliver: str = "whole"
    """whole · cut (half the body, then the connection closes) · cut_reset (half, then a reset) · cut_gzip · reset
    (no byte at all)."""
    rate_limit: dict[str, int] = field(default_factory=dict)
    """`remaining` and `reset` to announce instead of the true ones."""
    absent_headers: tuple[str, ...] = ()


@dataclass
class Fault:
    """One rule: what happens (`kind`), to which replies (`route`, `page`, `nth`, `day`, `rate`), how many `times`."""

    kind: str
    route: str = "models"
    page: int | None = None  # of the listing, from 1, told by the cursor's place: a retry asks for the same page
    nth: int | None = None  # request to this route since the rules were loaded, from 1
    day: str | None = None  # the sandbox's day, YYYY-MM-DD
    times: int | None = 1  # None: always
    rate: float | None = None  # share of the matching replies
    seed: int = 7  # of the draw for `rate`
    status: int = 500
    retry_after: int | str | None = None  # seconds, or an HTTP date
    remaining: int | None = None  # r of the RateLimit header
    reset: int | None = None  # t of the RateLimit header, seconds
    seconds: float = 30.0  # of a hang or a drip
    rows: int = 1  # that are changed
    values: dict[str, Any] | None = None  # to set in those rows
    names: list[str] = field(default_factory=list)  # of refused expands, of headers left out, or of fields
    location: str | None = None  # of a redirect
    fired: int = 0
    vanished: dict[tuple[str, date], set[str]] = field(default_factory=dict)
    """(Listing, day) → the `_id`s that this rule has deleted there."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FaultError(
                f"found the fault kind {self.kind!r}; expected one of {', '.join(sorted(KINDS))}. Correct it."
            )
        if self.route not in (*ROUTES, "*"):
            raise FaultError(f"found the route {self.route!r}; expected one of {', '.join(ROUTES)} or *. Correct it.")
        try:
            date.fromisoformat(self.day or "2026-01-01")
        except ValueError as error:
            raise FaultError(f"found the day {self.day!r}; expected YYYY-MM-DD. Correct it.") from error
        self._draw = random.Random(self.seed)

    def strikes(self, reply: Reply, nth: int, page: int | None) -> bool:
        """Whether this rule holds for a reply, the `nth` of its route, and page number `page` of a listing."""
        return (
            self.route in (reply.route, "*")
            and (self.times is None or self.fired < self.times)
            and (self.page is None or self.page == page)
            and (self.nth is None or self.nth == nth)
            and (self.day is None or self.day == reply.day.isoformat())
            and (self.rate is None or self._draw.random() < self.rate)
        )


KINDS: dict[str, Callable[[Fault, Reply], bool | None]] = {}
"""Every kind of fault. A kind returns False when it cannot be done to this reply; the rule then stays armed."""


def kind(name: str):
    """Register a kind of fault under its name."""

    def register(function):
        KINDS[name] = function
        return function

    return register
