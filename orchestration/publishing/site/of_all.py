"""One question for all countries, or all organisations, at once: a page each would ask hundreds of times.
What is asked is in `pages`; here the rows are parted by whom they are about, and the SQL is told as if for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from orchestration.publishing.site.answers import Answer, Rows, ask, with_values


@dataclass(frozen=True)
class OfAll:
    """The answer for all entities. Its statement takes the wanted ones as the list `$entities`, and nothing in a row of one
    depends on which others are wanted, so that the same statement for one gives that one's rows."""

    statement: str
    parameters: dict[str, Any]
    whole: Answer
    by_entity: dict[str, Rows]

    def rows(self, entity: str) -> Rows:
        return self.by_entity.get(entity, [])

    def answer(self, entity: str) -> Answer:
        """The rows of one entity, with the statement that gives them."""
        sql = with_values(self.statement, self.parameters | {"entities": [entity]})
        return Answer(sql=sql, columns=self.whole.columns, rows=self.rows(entity))


def ask_of_all(
    connection: duckdb.DuckDBPyConnection, statement: str, entities: Sequence[str], parameters: dict[str, Any]
) -> OfAll:
    """Run the statement once. It must give a column `entity`."""
    whole = ask(connection, statement, parameters | {"entities": list(entities)})
    by_entity: dict[str, Rows] = {}
    for row in whole.rows:
        by_entity.setdefault(row["entity"], []).append(row)
    return OfAll(statement=statement, parameters=parameters, whole=whole, by_entity=by_entity)
