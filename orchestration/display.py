"""Text that strangers wrote (names, and messages with names in them), made fit to be shown to a person.
Escaping for HTML, Markdown, CSV or SQL is for whoever writes those; here only what misleads the eye is taken out."""

import unicodedata

LONGEST_NAME = 60


def display_name(name: str) -> str:
    """The name as a reader may see it: no control or direction characters, and not longer than a label can be."""
    visible = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in {"Cc", "Cf", "Cs"} else c for c in name)
    return visible if len(visible) <= LONGEST_NAME else visible[: LONGEST_NAME - 1] + "…"


def display_text(text: str) -> str:
    """A sentence with names in it: nothing that turns or hides text, whatever its length."""
    return " ".join(display_name(word) for word in text.split())
