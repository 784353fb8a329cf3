"""Durable files: hashes, replacement that is all or nothing, and the fsyncs that make a rename survive a power cut.
Nothing here knows what a version or a table is."""

import hashlib
import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

HASH_CHUNK_BYTES = 1 << 20


def sha256_of(path: Path) -> str:
    """Hex digest of the file's bytes, read in chunks so that a large database costs no memory."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(HASH_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def files_below(folder: Path) -> list[Path]:
    """All regular files below the folder, in a fixed order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def sync_path(path: Path) -> None:
    """Force a file's, or a folder's entries', bytes to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path, but_not: Collection[Path] = ()) -> None:
    """Force everything below the folder to the disk, files before the folders that name them; `but_not` are files that are
    there already under another name."""
    for path in sorted(folder.rglob("*"), key=lambda path: len(path.parts), reverse=True):
        if path not in but_not:
            sync_path(path)
    sync_path(folder)


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Replace `path` by the document in one step: a reader sees the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    unfinished.write_text(text, encoding="utf-8")
    sync_path(unfinished)
    os.replace(unfinished, path)
    sync_path(path.parent)


def read_json(path: Path) -> dict[str, Any] | None:
    """The document at `path`, or None if there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
