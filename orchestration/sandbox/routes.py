"""The sandbox Hub's answers, route by route: listings, models, accounts, its own clock; the archives' are beside it.
Quota, faults, compression and the headers common to all answers are added outside, by the server."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from functools import partial
from urllib.parse import parse_qsl, quote

import numpy as np
import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from orchestration.sandbox.answers import HubError, base_address, error_response, json_response, redirect
from orchestration.sandbox.archive_routes import ArchiveRoutes
from orchestration.sandbox.archives import Archives
from orchestration.sandbox.clock import SandboxClock
from orchestration.sandbox.listing_kinds import LISTINGS, MODEL_INFO_EXPANDS, MODEL_INFO_FIELDS, MODELS, ListingKind
from orchestration.sandbox.listing_query import (
    BadQuery,
    NotSandboxed,
    next_link,
    page_of,
    parse_expands,
    parse_listing_query,
)
from orchestration.sandbox.snapshot_store import Day, SnapshotError, SnapshotFolder

ROWS_PER_SITE_PAGE = 30
SITE_SORTS = {"created": "createdAt", "modified": "lastModified", "trending": "trendingScore"}
SITE_FIELDS = ("author", "downloads", "gated", "lastModified", "likes", "pipeline_tag", "private", "sdk")

_ROUTE_PATTERNS = (
    *((name, re.compile(f"{kind.path}/?")) for name, kind in LISTINGS.items()),
    ("model_info", re.compile("/api/models/.+")),
    ("organization", re.compile("/api/organizations/.+")),
    ("user", re.compile("/api/users/.+")),
    ("commits", re.compile("/api/datasets/.+/commits/.+")),
    ("dataset", re.compile("/api/datasets/.+")),
    ("resolve", re.compile("/(datasets/)?.+/resolve/.+")),
    *((f"{name}-json", re.compile(f"/{name}-json")) for name in LISTINGS),
    ("admin", re.compile("/sandbox/.*")),
)


def route_name(path: str) -> str:
    """The name by which faults call the route of a path; `other` for the rest."""
    return next((name for name, pattern in _ROUTE_PATTERNS if pattern.fullmatch(path)), "other")


class HubRoutes:
    """Answers from one folder of snapshots at the clock's day."""

    def __init__(self, snapshots: SnapshotFolder, clock: SandboxClock, archives: Archives):
        self._snapshots = snapshots
        self._clock = clock
        self._archives = archives

    def application(self) -> Starlette:
        """The routes as an ASGI application."""
        return Starlette(
            routes=[
                Route("/", self.about),
                *(Route(kind.path, partial(self.listing, kind)) for kind in LISTINGS.values()),
                *(Route(f"/{name}-json", partial(self.site_listing, kind)) for name, kind in LISTINGS.items()),
                Route("/api/models/{name:path}", self.model_info),
                Route("/api/organizations/{name}/overview", self.organization_overview),
                Route("/api/users/{name}/overview", self.user_overview),
                *ArchiveRoutes(self._archives, self._clock).routes(),
                Route("/sandbox/day", self.sandbox_day, methods=["GET", "PUT"]),
            ],
            exception_handlers={
                HubError: lambda _, error: error_response(error),
                BadQuery: lambda _, error: error_response(HubError(400, str(error))),
                NotSandboxed: lambda _, error: error_response(HubError(501, str(error))),
                SnapshotError: lambda _, error: error_response(HubError(500, str(error))),
                HTTPException: lambda _, error: error_response(HubError(error.status_code, _sorry(error))),
            },
        )

    def _day(self, kind: ListingKind) -> Day:
        """The listing's rows on the clock's day; where this folder has none, 404: an empty page would be a lie."""
        days, today = self._snapshots.listings[kind.name], self._clock.day
        if today not in days.days:
            raise HubError(404, f"This sandbox Hub has no {kind.name} on {today}.")
        return days.day(today)

    async def about(self, request: Request) -> Response:
        kind = "simulated" if self._snapshots.is_simulated else "recorded"
        return PlainTextResponse(
            f"The Open Model Observatory's sandbox Hub: {kind} data, not the Hugging Face Hub.\n"
            f"It shows {self._clock.day}, one of {len(self._snapshots.days)} days; /sandbox/day tells and sets it.\n"
            f"{self._snapshots.description.get('description', '')}\n"
        )

    # --- listings ----------------------------------------------------------------------------------------------------

    async def listing(self, kind: ListingKind, request: Request) -> Response:
        """A page. Only a walk of all models moves the clock: the other listings belong to the day that it left."""
        query = parse_listing_query(request.url.query, kind)
        moves_clock = kind is MODELS and query.is_unfiltered
        if query.cursor is None and moves_clock:
            self._clock.begin_walk()
        page = page_of(self._day(kind), query)
        headers = {}
        if page.next_cursor is not None:
            headers["Link"] = next_link(base_address(request), query, page.next_cursor)
        request.state.page = page.number
        request.state.ends_walk = page.next_cursor is None and moves_clock
        return json_response(page.records, headers=headers)

    async def site_listing(self, kind: ListingKind, request: Request) -> Response:
        """What the site's own pages are made of: thirty rows, and with `withCount` how many there are."""
        parameters = request.query_params
        number = int(parameters.get("p", "0")) if parameters.get("p", "0").isdecimal() else 0
        asked = parameters.get("sort", "trending")
        query = parse_listing_query(f"sort={quote(SITE_SORTS.get(asked, asked))}", kind)
        day, start = self._day(kind), number * ROWS_PER_SITE_PAGE
        rows = np.arange(len(day))[::-1] if query.sort == "createdAt" else day.order(query.sort)[0]
        body = {
            kind.name: day.records(rows[start : start + ROWS_PER_SITE_PAGE], SITE_FIELDS),
            "numItemsPerPage": ROWS_PER_SITE_PAGE,
            "pageIndex": number,
        }
        if parameters.get("withCount") == "true":
            body["numTotalItems"] = len(day)
        return json_response(body)

    # --- one model ---------------------------------------------------------------------------------------------------

    async def model_info(self, request: Request) -> Response:
        name, _, revision = request.path_params["name"].partition("/revision/")
        day = self._day(MODELS)
        row = day.row_of(name)
        if row is None:
            return self._moved(day, name, revision, request)
        if revision not in ("", "main", day.value("sha", row)):
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        pairs = parse_qsl(request.url.query)
        expands = parse_expands([value for key, value in pairs if key in ("expand", "expand[]")], MODEL_INFO_EXPANDS)
        (record,) = day.records(slice(row, row + 1), expands or MODEL_INFO_FIELDS, model_id=not expands)
        return json_response(record)

    def _moved(self, day: Day, name: str, revision: str, request: Request) -> Response:
        """Another case, or an old name: where it is now. Neither: what the Hub says of the missing and the private."""
        row = day.row_of_any_case(name)
        if row is None and (rename := self._snapshots.renamed(name, day.day)):
            row_id, new_name = rename
            row = day.row_of_identity(row_id)
            row = day.row_of(new_name) if row is None and new_name else row
        if row is None:
            raise _unknown_repository(request)
        suffix = f"/revision/{quote(revision, safe='')}" if revision else ""
        return redirect(f"/api/models/{quote(day.value('id', row))}{suffix}", request.url.query)

    # --- accounts ----------------------------------------------------------------------------------------------------

    async def organization_overview(self, request: Request) -> Response:
        account = self._snapshots.account_of_any_case(request.path_params["name"])
        if account is None or account["type"] != "org":
            raise HubError(404, "This organization does not exist")
        return json_response(
            _without_absent(
                {
                    "_id": _account_id(account["name"]),
                    "avatarUrl": f"/avatars/{_account_id(account['name'])}.svg",
                    "fullname": account.get("fullname") or account["name"],
                    "name": account["name"],
                    "isVerified": account.get("isVerified"),
                    "isFollowing": False,
                    "plan": account.get("plan"),
                    "numModels": account.get("numModels"),
                    "numFollowers": account.get("numFollowers"),
                }
            )
        )

    async def user_overview(self, request: Request) -> Response:
        name = request.path_params["name"]
        account = self._snapshots.account(name) or self._snapshots.account_of_any_case(name)
        if account is None or account["type"] != "user":
            raise HubError(404, "This user does not exist")
        if account["name"] != name:
            return redirect(f"/api/users/{quote(account['name'])}/overview", request.url.query)
        return json_response(
            _without_absent(
                {
                    "_id": _account_id(account["name"]),
                    "avatarUrl": f"/avatars/{_account_id(account['name'])}.svg",
                    "isPro": account.get("plan") == "pro",
                    "fullname": account.get("fullname") or account["name"],
                    "numModels": account.get("numModels"),
                    "numFollowers": account.get("numFollowers"),
                    "orgs": [],
                    "user": account["name"],
                    "type": "user",
                }
            )
        )

    # --- the sandbox's own -------------------------------------------------------------------------------------------

    async def sandbox_day(self, request: Request) -> Response:
        if request.method == "PUT":
            try:
                self._clock.set(date.fromisoformat(orjson.loads(await request.body())["day"]))
            except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
                raise HubError(400, f'{error}. Send {{"day": "YYYY-MM-DD"}}.') from error
        return json_response(
            {"day": self._clock.day.isoformat(), "days": [day.isoformat() for day in self._snapshots.days]}
        )


def _sorry(error: HTTPException) -> str:
    return "Sorry, we can't find the page you are looking for." if error.status_code == 404 else error.detail


def _unknown_repository(request: Request) -> HubError:
    """The Hub tells a visitor without a token the same for what is missing and what is private."""
    if "authorization" in request.headers:
        return HubError(404, "Repository not found", "RepoNotFound")
    return HubError(401, "Invalid username or password.", "RepoNotFound")


def _account_id(name: str) -> str:
    return hashlib.sha1(name.lower().encode()).hexdigest()[:24]


def _without_absent(body: dict) -> dict:
    return {name: value for name, value in body.items() if value is not None}
