"""The sandbox Hub's answers, route by route: model listing, models, accounts, the statistics dataset, its own clock.
Quota, faults, compression and the headers common to all answers are added outside, by the server."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import parse_qsl, quote

import numpy as np
import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from orchestration.sandbox import hub_stats
from orchestration.sandbox.clock import SandboxClock
from orchestration.sandbox.hub_stats import Commit, HubStats
from orchestration.sandbox.listing_query import (
    BadQuery,
    NotSandboxed,
    next_link,
    page_of,
    parse_expands,
    parse_listing_query,
)
from orchestration.sandbox.snapshot_store import INFO_EXPANDS, INFO_FIELDS, Day, SnapshotError, SnapshotFolder

COMMITS_PER_PAGE = 50
MODELS_PER_SITE_PAGE = 30

_ROUTE_PATTERNS = (
    ("models", re.compile("/api/models/?")),
    ("model_info", re.compile("/api/models/.+")),
    ("organization", re.compile("/api/organizations/.+")),
    ("user", re.compile("/api/users/.+")),
    ("commits", re.compile("/api/datasets/.+/commits/.+")),
    ("dataset", re.compile("/api/datasets/.+")),
    ("resolve", re.compile("/(datasets/)?.+/resolve/.+")),
    ("models-json", re.compile("/models-json")),
    ("admin", re.compile("/sandbox/.*")),
)


def route_name(path: str) -> str:
    """The name by which faults call the route of a path; `other` for the rest."""
    return next((name for name, pattern in _ROUTE_PATTERNS if pattern.fullmatch(path)), "other")


@dataclass
class HubError(Exception):
    """An answer that is an error, as the Hub words it."""

    status: int
    message: str
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def error_response(error: HubError) -> Response:
    """The Hub's error: JSON, and the same in `X-Error-Message`, with `X-Error-Code` if it has one."""
    headers = {"X-Error-Message": error.message.encode("ascii", "replace").decode(), **error.headers}
    if error.code:
        headers["X-Error-Code"] = error.code
    return json_response({"error": error.message}, status=error.status, headers=headers)


def json_response(content, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json; charset=utf-8")


def redirect(location: str, query: str) -> Response:
    """307 with a relative address, as the Hub moves a client to a repository's or an account's present name."""
    return Response(status_code=307, headers={"Location": location + (f"?{query}" if query else "")})


class HubRoutes:
    """Answers from one folder of snapshots at the clock's day."""

    def __init__(self, snapshots: SnapshotFolder, clock: SandboxClock, statistics: HubStats):
        self._snapshots = snapshots
        self._clock = clock
        self._statistics = statistics

    def application(self) -> Starlette:
        """The routes as an ASGI application."""
        dataset = f"/api/datasets/{hub_stats.DATASET}"
        files = f"/datasets/{hub_stats.DATASET}"
        return Starlette(
            routes=[
                Route("/", self.about),
                Route("/api/models", self.listing),
                Route("/api/models/{name:path}", self.model_info),
                Route("/api/organizations/{name}/overview", self.organization_overview),
                Route("/api/users/{name}/overview", self.user_overview),
                Route(f"{dataset}/commits/{{revision:path}}", self.dataset_commits),
                Route(f"{dataset}/tree/{{revision}}", self.dataset_tree),
                Route(f"{dataset}/paths-info/{{revision:path}}", self.dataset_paths, methods=["POST"]),
                Route(dataset, self.dataset_info),
                Route(f"{dataset}/revision/{{revision:path}}", self.dataset_info),
                Route(f"{files}/resolve/{{revision}}/{{file:path}}", self.dataset_file),
                Route("/models-json", self.site_listing),
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

    @property
    def _day(self) -> Day:
        return self._snapshots.day(self._clock.day)

    async def about(self, request: Request) -> Response:
        kind = "simulated" if self._snapshots.is_simulated else "recorded"
        return PlainTextResponse(
            f"The Open Model Observatory's sandbox Hub: {kind} data, not the Hugging Face Hub.\n"
            f"It shows {self._clock.day}, one of {len(self._snapshots.days)} days; /sandbox/day tells and sets it.\n"
            f"{self._snapshots.description.get('description', '')}\n"
        )

    # --- models ------------------------------------------------------------------------------------------------------

    async def listing(self, request: Request) -> Response:
        query = parse_listing_query(request.url.query)
        if query.cursor is None and query.is_unfiltered:
            self._clock.begin_walk()
        page = page_of(self._day, query)
        headers = {}
        if page.next_cursor is not None:
            headers["Link"] = next_link(_base(request), query, page.next_cursor)
        request.state.page = page.number
        request.state.ends_walk = page.next_cursor is None and query.is_unfiltered
        return json_response(page.records, headers=headers)

    async def model_info(self, request: Request) -> Response:
        name, _, revision = request.path_params["name"].partition("/revision/")
        day = self._day
        row = day.row_of(name)
        if row is None:
            return self._moved(day, name, revision, request)
        if revision not in ("", "main", day.value("sha", row)):
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        pairs = parse_qsl(request.url.query)
        expands = parse_expands([value for key, value in pairs if key in ("expand", "expand[]")], INFO_EXPANDS)
        (record,) = day.records(slice(row, row + 1), expands or INFO_FIELDS, model_id=not expands)
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

    async def site_listing(self, request: Request) -> Response:
        parameters = request.query_params
        number = int(parameters.get("p", "0")) if parameters.get("p", "0").isdecimal() else 0
        sort = {"created": "createdAt", "modified": "lastModified", "trending": "trendingScore"}
        asked = parameters.get("sort", "trending")
        query = parse_listing_query(f"sort={quote(sort.get(asked, asked))}&expand=author&expand=downloads&expand=likes")
        day, start = self._day, number * MODELS_PER_SITE_PAGE
        rows = np.arange(len(day))[::-1] if query.sort == "createdAt" else day.order(query.sort)[0]
        fields = ("author", "downloads", "gated", "lastModified", "likes", "pipeline_tag", "private")
        wanted = rows[start : start + MODELS_PER_SITE_PAGE]
        body = {
            "models": day.records(wanted, fields),
            "numItemsPerPage": MODELS_PER_SITE_PAGE,
            "pageIndex": number,
        }
        if parameters.get("withCount") == "true":
            body["numTotalItems"] = len(day)
        return json_response(body)

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

    # --- the statistics dataset --------------------------------------------------------------------------------------

    def _commits(self, revision: str) -> list[Commit]:
        commits = self._statistics.commits(self._clock.day, revision)
        if not commits:
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return commits

    async def dataset_commits(self, request: Request) -> Response:
        commits = self._commits(request.path_params["revision"])
        page, limit = (
            int(text) if (text := request.query_params.get(name, "")).isdecimal() else default
            for name, default in (("p", 0), ("limit", COMMITS_PER_PAGE))
        )
        limit = min(max(limit, 1), 100)
        headers = {"X-Total-Count": str(len(commits))}
        if (page + 1) * limit < len(commits):
            rest = "".join(f"&{key}={quote(value)}" for key, value in request.query_params.multi_items() if key != "p")
            headers["Link"] = f'<{_base(request)}{quote(request.url.path)}?p={page + 1}{rest}>; rel="next"'
        return json_response([commit.as_json() for commit in commits[page * limit :][:limit]], headers=headers)

    async def dataset_info(self, request: Request) -> Response:
        commits = self._commits(request.path_params.get("revision", "main"))
        return json_response(
            {
                "_id": _account_id(hub_stats.DATASET),
                "id": hub_stats.DATASET,
                "author": hub_stats.DATASET.split("/")[0],
                "sha": commits[0].sha,
                "lastModified": commits[0].as_json()["date"],
                "createdAt": commits[-1].as_json()["date"],
                "private": False,
                "gated": False,
                "disabled": False,
                "tags": [],
                "siblings": [{"rfilename": hub_stats.FILE}],
            }
        )

    async def dataset_tree(self, request: Request) -> Response:
        commit = self._commits(request.path_params["revision"])[0]
        return json_response([await run_in_threadpool(self._entry, commit)])

    async def dataset_paths(self, request: Request) -> Response:
        commit = self._commits(request.path_params["revision"])[0]
        body = await request.body()
        is_json = "json" in request.headers.get("content-type", "")
        asked = orjson.loads(body)["paths"] if is_json else [v for k, v in parse_qsl(body.decode()) if k == "paths"]
        wanted = [asked] if isinstance(asked, str) else asked
        return json_response([await run_in_threadpool(self._entry, commit)] if hub_stats.FILE in wanted else [])

    def _entry(self, commit: Commit) -> dict:
        digest, size = self._statistics.digest(commit), self._statistics.file(commit).stat().st_size
        lfs = {"oid": digest, "size": size, "pointerSize": 134}
        return {"type": "file", "oid": commit.sha, "size": size, "path": hub_stats.FILE, "lfs": lfs}

    async def dataset_file(self, request: Request) -> Response:
        commit = self._commits(request.path_params["revision"])[0]
        headers = {"X-Repo-Commit": commit.sha}
        if request.path_params["file"] != hub_stats.FILE:
            raise HubError(404, "Entry not found", "EntryNotFound", headers)
        digest = await run_in_threadpool(self._statistics.digest, commit)
        headers["ETag"] = f'"{digest}"'
        return FileResponse(
            self._statistics.file(commit),
            headers=headers,
            media_type="application/octet-stream",
            filename=hub_stats.FILE,
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


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


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
