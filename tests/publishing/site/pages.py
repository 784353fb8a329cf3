"""A page read from its text: tags, attributes, words and scripts. How it looks and behaves is for the browser's tests."""

import html
import json
import re
from html.parser import HTMLParser


class Page(HTMLParser):
    """Tags and attributes of a page, its text, and the content of each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] == "script" and self.cdata_elem == "script":
            self.scripts.append(data)
        elif not self.tags or self.tags[-1][0] != "style":
            self.words.append(data)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def figures(text: str) -> list[dict]:
    """What each figure of a page brings for its script."""
    return [json.loads(found) for found in re.findall(r'class="figure-data">(.*?)</script>', text, re.DOTALL)]


def rows_of(table: dict) -> list[dict]:
    """Rows that a page brings as columns, each text once."""
    columns = {
        name: [None if place is None else values["of"][place] for place in values["at"]]
        if isinstance(values, dict)
        else values
        for name, values in table.items()
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def statements(text: str) -> list[str]:
    """The SQL that a page shows."""
    return [
        html.unescape(found) for found in re.findall(r"<pre tabindex=\"0\"[^>]*><code>(.*?)</code>", text, re.DOTALL)
    ]
