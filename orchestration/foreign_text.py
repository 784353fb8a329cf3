"""Text that strangers wrote (names, tags, errors that quote them), made fit to be shown: on pages, in Dagster, in messages.
Nothing is changed in what is stored or counted; whoever writes HTML escapes it besides, by their template engine."""

import re
import unicodedata

LONGEST_NAME = 60
LONGEST_CELL = 60
# Control and direction characters, zero-width ones, halves of pairs, and what breaks a line elsewhere than in ASCII.
INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
REPLACED = "\N{REPLACEMENT CHARACTER}"
# A cell that Markdown can only read as text: no address, no mark-up, no underscore at the edge of a word.
PLAIN_CELL = re.compile(r"(?!.*(?:://|www\.|\b_|_\b))[\w .,:;/%+()'\"’–…·-]*", re.IGNORECASE)
# Clients make links of bare addresses, and call people whose name stands behind an @.
ADDRESS, WEB = re.compile(r"://"), re.compile(r"\bwww\.", re.IGNORECASE)
TAG = re.compile(r"<(?=[^\s=\d])")


def visible(text: str) -> str:
    """The text with each character that hides, turns or moves other text replaced by U+FFFD; line ends are among them."""
    return "".join(REPLACED if unicodedata.category(c) in INVISIBLE else c for c in text)


def visible_lines(text: str) -> str:
    """The same for a text of several lines, which stay lines: for a log or a terminal."""
    return "\n".join(map(visible, text.split("\n")))


def one_line(text: str, longest: int) -> str:
    """Visible, on one line, and no longer than that."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def display_name(name: str) -> str:
    """The name as a reader may see it: nothing invisible in it, and not longer than a label can be."""
    shown = visible(name)
    return shown if len(shown) <= LONGEST_NAME else shown[: LONGEST_NAME - 1] + "…"


def display_text(text: str) -> str:
    """A sentence with names in it, for a page: nothing that turns or hides text, and no word longer than a label can be."""
    return " ".join(display_name(word) for word in text.split())


def harmless(text: str) -> str:
    """A sentence with names in it, for messages that somebody else's client renders (Slack, Teams, mail, Dagster's UI):
    nothing in it is mark-up, a link, a mention or a tag, whichever dialect is spoken there; lines stay lines."""
    shown = ADDRESS.sub("[:]//", visible_lines(text))
    shown = WEB.sub("www[.]", shown).replace("@", "\N{FULLWIDTH COMMERCIAL AT}")
    shown = TAG.sub("\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}", shown)
    return shown.replace("](", "] (").replace("`", "'").replace("|", "\N{BROKEN BAR}")


def markdown_cell(value: object, longest: int = LONGEST_CELL) -> str:
    """A value in a cell of a Markdown table: as text if it can be nothing else, else as code, in which nothing acts."""
    text = "" if value is None else one_line(str(value), longest)
    if PLAIN_CELL.fullmatch(text):
        return text
    text = TAG.sub("\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}", text)
    return "`" + text.replace("`", "'").replace("|", "\N{BROKEN BAR}") + "`"
