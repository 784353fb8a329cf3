"""What may reach a terminal: text from the Hub may carry escape sequences and marks that turn the line around.
Here they are made visible; what a file or a page needs against hostile text is beside their writers."""

import codecs
import re

# Left-to-right and right-to-left marks, embeddings, overrides and isolates, and the invisible operators beside them.
UNSEEN = re.compile(r"[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
# All but tab and line feed.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# What DuckDB's prompt itself needs: colours, erasing, and moving within the line it edits. No sequence that ends
# elsewhere: none sets a title, writes to the clipboard, changes a mode or makes the terminal answer.
OF_THE_PROMPT = re.compile(r"\x1b\[[0-9;]{0,16}[ABCDGHJKm]|\r|\x07|\x08")
COLOUR = re.compile(r"\x1b\[[0-9;]{0,16}m")
UNFINISHED = re.compile(r"\x1b(?:\[[0-9;]{0,16})?\Z")


def printable(text: str) -> str:
    """The text with each character that steers a terminal written out, as `\\x1b` or `\\u202e`; it may become longer."""
    return UNSEEN.sub(_named, CONTROL.sub(_named, text))


def _named(found: re.Match) -> str:
    return "".join(_name(character) for character in found[0])


def _name(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class PromptFilter:
    """Passes on what a program writes to its terminal, chunk by chunk, without anything but plain text, colours and
    movements: a sequence cut in two by the end of a chunk waits for its rest."""

    def __init__(self, *, allow_colours: bool) -> None:
        self.allow_colours = allow_colours
        self.waiting = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def __call__(self, chunk: bytes) -> bytes:
        text = self.waiting + self.decoder.decode(chunk, final=not chunk)
        self.waiting = ""
        if chunk and (cut := UNFINISHED.search(text)):
            text, self.waiting = text[: cut.start()], cut[0]
        if not self.allow_colours:
            # Some of the program's tables are coloured wherever they go.
            return printable(COLOUR.sub("", text.replace("\r\n", "\n"))).encode()
        parts, done = [], 0
        for allowed in OF_THE_PROMPT.finditer(text):
            parts += [printable(text[done : allowed.start()]), allowed[0]]
            done = allowed.end()
        return "".join([*parts, printable(text[done:])]).encode()
