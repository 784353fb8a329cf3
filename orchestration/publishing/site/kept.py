"""What is the same for every site of one state of the code, kept in the home: made by the first process, read by the others.
What is kept, and what it is made of, is said where it is made."""

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path


def kept_or_made(folder: Path | None, name: str, made_of: Iterable[str | bytes], make: Callable[[], str]) -> str:
    """The text from the folder if one of the same name was made there of the same parts, else a new one, which takes the place
    of any older. Without a folder nothing is kept."""
    if folder is None:
        return make()
    digest = hashlib.sha256()
    for part in made_of:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8) + content)
    path = folder / f"{name}-{digest.hexdigest()[:16]}"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    text = make()
    folder.mkdir(parents=True, exist_ok=True)
    for older in folder.glob(f"{name}-*"):
        older.unlink(missing_ok=True)
    unfinished = folder / f".{path.name}-{os.getpid()}"
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
    return text
