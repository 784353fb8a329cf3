"""What the sandbox Hub does wrong: the rules in force, read from a list or a file, and the order in which they strike.
A fault changes one finished reply, or how it is sent; a Hub that behaves is not described here."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from orchestration.sandbox import reply_faults, row_faults  # noqa: F401 (to import them is to register their kinds)
from orchestration.sandbox.fault_rules import KINDS, Fault, FaultError, Reply
from orchestration.sandbox.row_faults import take_away_vanished

__all__ = ["KINDS", "Fault", "FaultError", "Faults", "Reply"]


class Faults:
    """The rules in force, in order; the first that strikes a reply changes it."""

    def __init__(self, source: list[dict] | Path | None = None):
        self.load(source)

    def load(self, source: list[dict] | Path | None) -> None:
        """Put other rules in force, from a list or a JSON file, and count requests anew. Raises FaultError.

        The file holds a list of rules, or an object that holds it as `faults` and may say more.
        """
        entries = _read(Path(source)) if isinstance(source, str | Path) else (source or [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise FaultError("found something else; expected a list of objects, one a fault. Correct the faults.")
        known = {each.name for each in fields(Fault)} - {"fired", "vanished"}
        for entry in entries:
            if (unknown := set(entry) - known) or "kind" not in entry:
                raise FaultError(
                    f"found a fault with the keys {sorted(entry)} (unknown: {sorted(unknown)}); expected a kind and any"
                    f" of {', '.join(sorted(known - {'kind'}))}. Correct the entry."
                )
        self.rules = [Fault(**entry) for entry in entries]
        self._requests: dict[str, int] = {}  # a route's requests so far, for `nth`

    def concern(self, route: str) -> bool:
        """Whether any rule could still touch this route."""
        return any(
            rule.route in (route, "*") and (rule.times is None or rule.fired < rule.times) for rule in self.rules
        )

    def apply(self, reply: Reply, *, page: int | None) -> Fault | None:
        """Do to `reply` what the first striking rule says, and tell which rule it was."""
        take_away_vanished(self.rules, reply)
        nth = self._requests[reply.route] = self._requests.get(reply.route, 0) + 1
        for rule in self.rules:
            if rule.strikes(reply, nth, page) and KINDS[rule.kind](rule, reply) is not False:
                rule.fired += 1
                return rule
        return None


def _read(file: Path) -> Any:
    try:
        told = json.loads(file.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise FaultError(f"found {error}; expected {file} to hold a JSON list of faults. Correct the file.") from error
    return told.get("faults") if isinstance(told, dict) else told
