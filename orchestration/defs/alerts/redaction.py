"""What must never be written down or sent: the addresses of targets, with all that in them may be a password, and tokens.
Whoever keeps or sends a text that somebody else wrote (an error, a row) passes it through here first."""

import re
from urllib.parse import parse_qsl, unquote, urlsplit

from orchestration.settings import Settings

# Schemes whose host is a machine; in others (slack://token/…) it is part of the secret.
HOSTS_ARE_PUBLIC = ("http", "https", "json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos")
# Shorter parts of an address are ports, words and names that stand in every text.
SHORTEST_SECRET = 6
HIDDEN = "•••"


class Redaction:
    """Takes every secret of the settings out of a text: an error that somebody else wrote may quote an address."""

    def __init__(self, settings: Settings):
        urls = [
            settings.notify_urls,
            settings.notify_urls_blocks,
            settings.notify_urls_investigate,
            settings.notify_urls_domain,
            settings.heartbeat_url,
        ]
        secrets = {part for value in urls for url in value.get_secret_value().split() for part in _secret_parts(url)}
        if settings.hf_token:
            secrets.add(settings.hf_token.get_secret_value())
        longest_first = sorted(secrets - {""}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub(HIDDEN, text) if self._pattern else text


def _secret_parts(url: str) -> set[str]:
    """The address itself, and what in it may be a password or a token."""
    parts = urlsplit(url)
    pieces = [parts.username, parts.password, *parts.path.split("/"), *(value for _, value in parse_qsl(parts.query))]
    if parts.scheme not in HOSTS_ARE_PUBLIC:
        pieces += [parts.netloc.rpartition("@")[2]]
    known = {piece for piece in pieces if piece and len(piece) >= SHORTEST_SECRET}
    return {url} | known | {unquote(piece) for piece in known}
