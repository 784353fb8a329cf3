"""Is an account an organisation or a person? The Hub's two overview addresses tell, one after the other.
Of a person nothing is kept but the name that its repositories carry and the type; whom to ask is for `landing`."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from orchestration.hub import records
from orchestration.hub.client import HubClient, HubReply
from orchestration.hub.errors import MalformedBody

# 404: no such account. 307: a person's account answers so to another spelling of its name.
ANSWERS = frozenset({200, 307, 404})


@dataclass(frozen=True)
class Account:
    """What is known of one account. All but the first two and the last are null for persons and unknown accounts."""

    namespace: str
    account_type: str  # 'organization', 'person', or 'unknown' when neither overview exists
    full_name: str | None
    is_verified: bool | None
    plan: str | None
    followers: int | None
    observed_at: datetime


def look_up(client: HubClient, namespace: str) -> Account:
    """Ask for the organisation, then for the person, of this name. Raises the client's errors."""
    name = quote(namespace, safe="")
    reply = client.get(f"/api/organizations/{name}/overview", answers=ANSWERS, check=_check_overview)
    if reply.status == 200:
        return _organization(namespace, reply)
    reply = client.get(f"/api/users/{name}/overview", answers=ANSWERS, check=_check_overview)
    kind = "unknown" if reply.status == 404 else "person"
    return Account(namespace, kind, None, None, None, None, reply.date)


def _organization(namespace: str, reply: HubReply) -> Account:
    overview: dict[str, object] = reply.document
    return Account(
        namespace=namespace,
        account_type="organization",
        full_name=_read(records.text, overview.get("fullname")),
        is_verified=_read(records.flag, overview.get("isVerified")),
        plan=_read(records.text, overview.get("plan")),
        followers=_read(records.integer, overview.get("numFollowers")),
        observed_at=reply.date,
    )


def _read(reader, value: object):
    """The value, or null where it doesn't fit: none of these fields decides anything."""
    try:
        return None if value is None else reader(value)
    except records.Misfit:
        return None


def _check_overview(reply: HubReply) -> None:
    if reply.status == 200 and not isinstance(reply.document, dict):
        raise MalformedBody(f"a {type(reply.document).__name__} instead of an overview")
    reply.date  # noqa: B018 (raises where the header is missing)
