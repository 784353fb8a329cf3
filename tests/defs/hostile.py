"""Names that do harm where they are shown as they are, and what to look for in what is shown instead.
Nothing is asserted here."""

import re
from datetime import UTC, datetime

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "[click](https://evil.example/a)",
    "![picture](https://evil.example/p.png)",
    "`code` | pipe | `",
    "https://evil.example/bare",
    "www.evil.example",
    "somebody@evil.example",
    "<!channel> @everyone <@U1>",
    "<https://evil.example|safe>",
    "\u202egnp.exe",
    "zero\u200bwidth\u2066apart\ufeff",
    "escape\x1b[31mred\x07\x9b2J",
    "line\r\nbreak\u2028apart\u2029\x85",
    "**bold** __init__ ~~gone~~",
)
# Characters that hide, turn or move others, or that a terminal obeys.
CONTROLS = {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x200B, 0x2010), *range(0x2028, 0x202F))}
CONTROLS |= {chr(code) for code in (*range(0x2060, 0x2070), 0xFEFF)}
# What a client of messages or a renderer of Markdown takes for a tag, a link, code or a mention.
ACTS = re.compile(r"<[a-zA-Z!/@#]|\]\(|`|://(?!127\.0\.0\.1)|\bwww\.|@|\|")
