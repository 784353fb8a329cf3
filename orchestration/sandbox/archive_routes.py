"""The addresses of the archives' datasets as the Hub has them: commits, revisions, trees, paths and files.
Which commits there are and what their files hold is decided in `archives`."""

from __future__ import annotations

import hashlib
from functools import partial
from urllib.parse import parse_qsl, quote

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from orchestration.sandbox.answers import HubError, base_address, json_response
from orchestration.sandbox.archives import Archive, Archives, Commit
from orchestration.sandbox.clock import SandboxClock

COMMITS_PER_PAGE = 50
LARGEST_COMMITS_PAGE = 100
ENTRIES_PER_PAGE = {False: 1000, True: 50}
"""Entries of a tree on one page; fewer where each one's last commit is asked for."""


class ArchiveRoutes:
    """Answers about the archives, as far as the clock's day has come."""

    def __init__(self, archives: Archives, clock: SandboxClock):
        self._archives, self._clock = archives, clock

    def routes(self) -> list[Route]:
        """The routes of every archive."""
        return [route for archive in self._archives.by_repo.values() for route in self._routes_of(archive)]

    def _routes_of(self, archive: Archive) -> list[Route]:
        dataset, file = f"/api/datasets/{archive.repo}", f"/datasets/{archive.repo}"
        return [
            Route(f"{dataset}/commits/{{revision:path}}", partial(self.commits, archive)),
            Route(f"{dataset}/tree/{{revision}}", partial(self.tree, archive)),
            Route(f"{dataset}/tree/{{revision}}/{{path:path}}", partial(self.tree, archive)),
            Route(f"{dataset}/paths-info/{{revision:path}}", partial(self.paths_info, archive), methods=["POST"]),
            Route(dataset, partial(self.info, archive)),
            Route(f"{dataset}/revision/{{revision:path}}", partial(self.info, archive)),
            Route(f"{file}/resolve/{{revision}}/{{path:path}}", partial(self.file, archive)),
        ]

    def _commits(self, archive: Archive, request: Request) -> list[Commit]:
        revision = request.path_params.get("revision", "main")
        commits = archive.commits(self._clock.day, revision)
        if not commits:
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return commits

    async def commits(self, archive: Archive, request: Request) -> Response:
        commits = self._commits(archive, request)
        page, limit = (
            int(text) if (text := request.query_params.get(name, "")).isdecimal() else default
            for name, default in (("p", 0), ("limit", COMMITS_PER_PAGE))
        )
        limit = min(max(limit, 1), LARGEST_COMMITS_PAGE)
        headers = {"X-Total-Count": str(len(commits))}
        if (page + 1) * limit < len(commits):
            headers["Link"] = _link(request, "p", str(page + 1))
        return json_response([_commit(commit) for commit in commits[page * limit :][:limit]], headers=headers)

    async def info(self, archive: Archive, request: Request) -> Response:
        commits = self._commits(archive, request)
        return json_response(
            {
                "_id": hashlib.sha1(archive.repo.lower().encode()).hexdigest()[:24],
                "id": archive.repo,
                "author": archive.repo.split("/")[0],
                "sha": commits[0].sha,
                "lastModified": commits[0].date,
                "createdAt": commits[-1].date,
                "private": False,
                "gated": False,
                "disabled": False,
                "tags": [f"license:{archive.license}"],
                "cardData": {"license": archive.license},
                "siblings": [{"rfilename": path} for path in commits[0].files],
            }
        )

    async def tree(self, archive: Archive, request: Request) -> Response:
        """What lies in a folder, or with `recursive` also below it; with `expand` each entry's last commit."""
        commit = self._commits(archive, request)[0]
        asked = request.query_params
        recursive, expand = (_is_true(asked.get(name, "")) for name in ("recursive", "expand"))
        folder = request.path_params.get("path", "").strip("/")
        below = f"{folder}/" if folder else ""
        inside = [
            path
            for path in _with_folders(commit)
            if path.startswith(below) and (recursive or "/" not in path[len(below) :])
        ]
        if folder and not inside:
            raise HubError(404, f"{folder} does not exist on this revision", "EntryNotFound")
        size = ENTRIES_PER_PAGE[expand]
        rest = [path for path in inside if path > asked.get("cursor", "")]
        headers = {"Link": _link(request, "cursor", rest[size - 1])} if len(rest) > size else {}
        return json_response(await self._entries(commit, rest[:size], expand=expand), headers=headers)

    async def paths_info(self, archive: Archive, request: Request) -> Response:
        commit = self._commits(archive, request)[0]
        paths, expand = _asked_paths(await request.body(), request.headers.get("content-type", ""))
        there = set(_with_folders(commit))
        known = [path for path in dict.fromkeys(path.strip("/") for path in paths) if path in there]
        return json_response(await self._entries(commit, known, expand=expand))

    async def _entries(self, commit: Commit, paths: list[str], *, expand: bool) -> list[dict]:
        return [await run_in_threadpool(self._entry, commit, path, expand=expand) for path in paths]

    def _entry(self, commit: Commit, path: str, *, expand: bool) -> dict:
        if path in commit.files:
            stored = self._archives.stored(commit.files[path][0])
            entry = {"type": "file", "oid": stored.oid, "size": stored.size, "path": path}
            if stored.pointer_size is not None:
                entry["lfs"] = {"oid": stored.sha256, "size": stored.size, "pointerSize": stored.pointer_size}
            last = commit.last_commit(path)
        else:
            inside = [name for name in commit.files if name.startswith(f"{path}/")]
            last = max((commit.last_commit(name) for name in inside), key=lambda each: each.at)
            oid = hashlib.sha1(f"{last.sha} {path}".encode()).hexdigest()
            entry = {"type": "directory", "oid": oid, "size": 0, "path": path}
        return entry | ({"lastCommit": {"id": last.sha, "title": last.title, "date": last.date}} if expand else {})

    async def file(self, archive: Archive, request: Request) -> Response:
        """A file's bytes, or a range of them, straight from here: no redirect to another host, and no Xet."""
        commit = self._commits(archive, request)[0]
        headers, path = {"X-Repo-Commit": commit.sha}, request.path_params["path"]
        if path not in commit.files:
            raise HubError(404, "Entry not found", "EntryNotFound", headers)
        stored = await run_in_threadpool(self._archives.stored, commit.files[path][0])
        return FileResponse(
            stored.path,
            headers={**headers, "ETag": f'"{stored.etag}"'},
            media_type="text/markdown" if path.endswith(".md") else "application/octet-stream",
            filename=path.rpartition("/")[2],
        )


def _commit(commit: Commit) -> dict:
    return {
        "id": commit.sha,
        "title": commit.title,
        "message": "",
        "authors": [{"user": commit.author}],
        "date": commit.date,
    }


def _with_folders(commit: Commit) -> list[str]:
    """Every path of a revision, folders too, in order."""
    parents = {path.rsplit("/", depth)[0] for path in commit.files for depth in range(1, path.count("/") + 1)}
    return sorted(parents | set(commit.files))


def _asked_paths(body: bytes, content_type: str) -> tuple[list[str], bool]:
    """The paths, and whether their last commits are wanted, from a form or from JSON."""
    if "json" in content_type:
        told = orjson.loads(body)
        paths = told.get("paths", [])
        return [paths] if isinstance(paths, str) else paths, told.get("expand") is True
    pairs = parse_qsl(body.decode())
    return [value for key, value in pairs if key == "paths"], _is_true(dict(pairs).get("expand", ""))


def _is_true(text: str) -> bool:
    return text.lower() in ("true", "1")


def _link(request: Request, name: str, value: str) -> str:
    """The next page's address: the same query, with `name` at its head."""
    rest = "".join(f"&{key}={quote(told)}" for key, told in request.query_params.multi_items() if key != name)
    address = f"{base_address(request)}{quote(request.url.path)}"
    return f'<{address}?{name}={quote(value, safe="")}{rest}>; rel="next"'
