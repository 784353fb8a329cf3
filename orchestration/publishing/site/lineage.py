"""Which tables and sources each public table is made from, as dbt's manifest has it, and a drawing of that.
What a table means is in the database's own comments; here is only where it comes from."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COLUMN, ROW, BOX, TALL = 216, 27, 194, 20  # pixels: from column to column, from box to box; a box's width and height
LONGEST_LABEL = 29  # characters that fit into a box


@dataclass(frozen=True)
class Node:
    """A table in the making: `layer` is source, seed, staging, intermediate or marts."""

    name: str
    layer: str
    parents: tuple[str, ...]


@dataclass(frozen=True)
class Lineage:
    """All tables by dbt's own id. Empty where the site is made without dbt's manifest."""

    nodes: dict[str, Node] = field(default_factory=dict)

    def id_of(self, table: str) -> str | None:
        return next((key for key, node in self.nodes.items() if node.name == table and node.layer == "marts"), None)

    def parents(self, key: str) -> list[Node]:
        return [self.nodes[parent] for parent in self.nodes[key].parents]

    def children(self, key: str) -> list[Node]:
        return [node for node in self.nodes.values() if key in node.parents]

    def ancestors(self, key: str) -> list[str]:
        """Everything that it is made from, directly or not, in the order of its ids; not itself."""
        found: set[str] = set()
        waiting = [key]
        while waiting:
            for parent in self.nodes[waiting.pop()].parents:
                if parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        return sorted(found)

    def sources(self, key: str) -> list[Node]:
        return [self.nodes[parent] for parent in self.ancestors(key) if self.nodes[parent].layer in ("source", "seed")]


def read_lineage(manifest: Path | None) -> Lineage:
    """The models, seeds and sources of dbt's manifest, by name."""
    if manifest is None:
        return Lineage()
    document = json.loads(manifest.read_bytes())
    found = {**document["sources"], **document["nodes"]}
    kept = {key: node for key, node in sorted(found.items()) if node["resource_type"] in ("model", "seed", "source")}
    return Lineage({key: node_of(node, kept) for key, node in kept.items()})


def node_of(node: dict[str, Any], kept: dict[str, Any]) -> Node:
    kind = node["resource_type"]
    name = f"{node['source_name']}.{node['name']}" if kind == "source" else node["name"]
    parents = node.get("depends_on", {}).get("nodes", [])
    return Node(
        name=name,
        layer=kind if kind != "model" else node["fqn"][1],
        parents=tuple(sorted({parent for parent in parents if parent in kept})),
    )


@dataclass(frozen=True)
class Box:
    """A table in the drawing: its place in pixels."""

    name: str
    label: str
    layer: str
    x: int
    y: int
    is_own: bool


@dataclass(frozen=True)
class Drawing:
    """Boxes in columns, what comes first at the left, and a curve from each table to what is made from it."""

    width: int
    height: int
    box: int  # width of each box, and its height
    tall: int
    boxes: tuple[Box, ...]
    curves: tuple[str, ...]


def drawing_of(lineage: Lineage, key: str) -> Drawing:
    """Everything that a table is made from. A table stands one column behind the last of those that it is made from."""
    inside = [*lineage.ancestors(key), key]
    columns = columns_of(lineage, inside)
    last = max(columns.values())
    rows: dict[str, float] = {}
    for column in range(last + 1):
        members = [node for node in inside if columns[node] == column]
        members.sort(key=lambda node: (middle(rows, lineage.nodes[node].parents), node))
        rows |= {node: place for place, node in enumerate(members)}
    tallest = max(sum(1 for node in inside if columns[node] == column) for column in range(last + 1))
    places = {
        node: (columns[node] * COLUMN, round(shifted(rows[node], inside, columns, node, tallest) * ROW))
        for node in inside
    }
    return Drawing(
        width=last * COLUMN + BOX + 2,
        height=tallest * ROW,
        box=BOX,
        tall=TALL,
        boxes=tuple(
            Box(
                name=lineage.nodes[node].name,
                label=shortened(lineage.nodes[node].name),
                layer=lineage.nodes[node].layer,
                x=places[node][0] + 1,
                y=places[node][1] + (ROW - TALL) // 2,
                is_own=node == key,
            )
            for node in inside
        ),
        curves=tuple(
            curve(places[parent], places[node]) for node in inside for parent in lineage.nodes[node].parents
        ),
    )  # fmt: skip


def columns_of(lineage: Lineage, inside: Sequence[str]) -> dict[str, int]:
    """The longest way to each from something that is made from nothing."""
    columns: dict[str, int] = {}

    def column(node: str) -> int:
        if node not in columns:
            columns[node] = max((column(parent) + 1 for parent in lineage.nodes[node].parents), default=0)
        return columns[node]

    for node in inside:
        column(node)
    return columns


def middle(rows: dict[str, float], parents: Iterable[str]) -> float:
    """Where a table would stand best: in the middle of what it is made from."""
    places = [rows[parent] for parent in parents]
    return sum(places) / len(places) if places else 0


def shifted(row: float, inside: Sequence[str], columns: dict[str, int], node: str, tallest: int) -> float:
    """A short column stands in the middle of the height."""
    members = sum(1 for other in inside if columns[other] == columns[node])
    return row + (tallest - members) / 2


def shortened(name: str) -> str:
    return name if len(name) <= LONGEST_LABEL else name[: LONGEST_LABEL - 1] + "…"


def curve(start: tuple[int, int], end: tuple[int, int]) -> str:
    x, y, to_x, to_y = start[0] + BOX + 1, start[1] + ROW // 2, end[0] + 1, end[1] + ROW // 2
    bend = (COLUMN - BOX) + 10
    return f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
