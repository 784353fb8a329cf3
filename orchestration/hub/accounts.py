"""Is an account an organisation or a person? The Hub's two overview addresses tell, one after the other.
Of a person nothing is kept but the name that its repositories carry and the type; whom to ask is for `landing`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import quote, unquote, urljoin, urlsplit

from orchestration.hub import readers
from orchestration.hub.client import HubClient, HubReply
from orchestration.hub.errors import MalformedBody
from orchestration.hub.governor import Priority

# 404: no such account. 307: the account answers to another name, or to another spelling of this one.
ANSWERS = frozenset({200, 307, 404})
# Fewer than a page of a walk is worth: an account comes round again (set 2026-11-24).
TRIES = 4

Kind = Literal["organizations", "users"]
# The field of each overview that tells the account's own name.
OWN_NAME: dict[Kind, str] = {"organizations": "name", "users": "user"}


@dataclass(frozen=True)
class Account:
    """What is known of one account. For persons and unknown accounts the four fields after the type are null."""

    namespace: str
    account_type: str  # 'organization', 'person', or 'unknown' when neither overview exists
    full_name: str | None
    is_verified: bool | None
    plan: str | None
    followers: int | None
    observed_at: datetime
    is_renamed: bool = False  # answers under a name that is more than another spelling; which one is not kept


def look_up(client: HubClient, namespace: str) -> Account:
    """Ask for the organisation, then for the person, of this name: one request or two, which let a walk
    go first. Raises the client's errors."""
    reply = _ask(client, "organizations", namespace)
    name = namespace
    if reply.status == 307:
        name = _redirected_to(reply, "organizations")
        reply = _ask(client, "organizations", name)
    if reply.status == 200:
        return _organization(namespace, name, reply)
    reply = _ask(client, "users", namespace)
    if reply.status == 404:
        return Account(namespace, "unknown", None, None, None, None, reply.date)
    name = _redirected_to(reply, "users") if reply.status == 307 else _own_name(reply, "users") or namespace
    return Account(namespace, "person", None, None, None, None, reply.date, _is_another(name, namespace))


def _ask(client: HubClient, kind: Kind, name: str) -> HubReply:
    return client.get(
        f"/api/{kind}/{quote(name, safe='')}/overview",
        answers=ANSWERS,
        check=lambda reply: _check_overview(reply, kind),
        priority=Priority.LOOK_UP,
        tries=TRIES,
    )


def _organization(namespace: str, asked: str, reply: HubReply) -> Account:
    overview: dict[str, object] = reply.document
    return Account(
        namespace=namespace,
        account_type="organization",
        full_name=_read(readers.text, overview.get("fullname")),
        is_verified=_read(readers.flag, overview.get("isVerified")),
        plan=_read(readers.text, overview.get("plan")),
        followers=_read(readers.integer, overview.get("numFollowers")),
        observed_at=reply.date,
        is_renamed=_is_another(_own_name(reply, "organizations") or asked, namespace),
    )


def _own_name(reply: HubReply, kind: Kind) -> str | None:
    name = reply.document.get(OWN_NAME[kind])
    return name if isinstance(name, str) else None


def _redirected_to(reply: HubReply, kind: Kind) -> str:
    """The account's name in a redirection to its overview. Raises `MalformedBody` if it leads anywhere else."""
    location = reply.headers.get("location", "")
    parts = urlsplit(urljoin(reply.url, location)).path.split("/")
    if not location or parts[:3] != ["", "api", kind] or parts[4:] != ["overview"] or not parts[3]:
        raise MalformedBody(f"redirected to {location!r} instead of an overview of /api/{kind}")
    return unquote(parts[3])


def _is_another(name: str, namespace: str) -> bool:
    """The Hub's names are unique whatever their case."""
    return name.casefold() != namespace.casefold()


def _read(reader, value: object):
    """The value, or null where it doesn't fit: none of these fields decides anything."""
    try:
        return None if value is None else reader(value)
    except readers.Misfit:
        return None


def _check_overview(reply: HubReply, kind: Kind) -> None:
    if reply.status == 200 and not isinstance(reply.document, dict):
        raise MalformedBody(f"a {type(reply.document).__name__} instead of an overview")
    if reply.status == 307:
        _redirected_to(reply, kind)
    reply.date  # noqa: B018 (raises where the header is missing)
