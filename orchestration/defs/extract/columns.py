"""Columns of what lies in the landing, as Dagster shows them: the declared schema of each listing, and what a column means.
Types come from the schemas that the landing is written with, so that none stands here a second time."""

from collections.abc import Collection

import dagster as dg
import pyarrow as pa

from orchestration.hub.listings import Listing
from orchestration.landing import accounts, captures

MEANING = {
    "_id": "The Hub's own id of the repository: 24 hex digits, kept through renames and transfers.",
    "id": "Name of the repository on that day, namespace/name.",
    "author": "Account that holds the repository.",
    "createdAt": "When the repository was created (UTC).",
    "lastModified": "When the repository was last changed (UTC).",
    "downloads": "The Hub's own count of the trailing 30 days.",
    "downloadsAllTime": "The Hub's counter since creation; null where the source gives none.",
    "likes": "Likes on that day.",
    "trendingScore": "The Hub's trending score.",
    "gated": "none, auto or manual; null where the source does not say.",
    "disabled": "Whether the Hub has disabled the repository.",
    "private": "Whether it is private; never true in a public listing.",
    "pipeline_tag": "Task of the model, as declared.",
    "library_name": "Library that loads the model, as declared.",
    "sha": "Revision of the repository; null in days that were thinned.",
    "tags": "All tags, as they came.",
    "safetensors_total": "Total parameters by its safetensors files.",
    "baseModels": "Declared parents (models: their _id and id) and the relation to them.",
    "sdk": "What the Space is built with.",
    "extra": "What no column is read from, and values that did not fit, as JSON; null in days that were thinned.",
    "cast_errors": "Columns whose value did not fit their type and became null.",
    "page": "Page of the listing that the row stood on; null in days that were thinned, or from an archive.",
    "fetched_at": "When that page was fetched (UTC).",
    "source": "hub_api (the live listing), or the archive it came from.",
    "source_revision": "Revision of that source.",
    "captured_at": "The Hub's own time at the first page (UTC); of an archive when its rows were true.",
    "namespace": "Name of the account.",
    "account_type": "organization, person, or unknown (neither overview exists).",
    "full_name": "Display name of an organisation; null for persons.",
    "is_verified": "Whether the Hub has verified it; null for persons.",
    "plan": "Plan of an organisation; null for persons.",
    "followers": "Followers of an organisation; null for persons.",
    "observed_at": "When the account was last looked up (UTC).",
    "status": "complete or incomplete.",
    "source_license": "Licence of that source's data; null if it states none.",
    "counters_date": "Day that the counters stand for.",
    "models": "Repositories that were listed.",
    "downloads_all_time": "Sum of their all-time counters.",
    "is_simulated": "Whether a sandbox made the data up.",
    "reason": "Why the day is incomplete; null if it is complete.",
}


# Written by us for every row. Any other field may hold a value that does not fit its type, which becomes null.
PROVENANCE = {"source", "source_revision", "captured_at"}


def listing_columns(listing: Listing) -> dict[str, dg.TableSchema]:
    return _metadata(listing.schema, key="_id", never_null=PROVENANCE)


def account_columns() -> dict[str, dg.TableSchema]:
    return _metadata(accounts.SCHEMA, key="namespace", never_null={"account_type"})


def capture_columns() -> dict[str, dg.TableSchema]:
    """One row a partition: no column is its key."""
    return _metadata(captures.SCHEMA, key=None, never_null={"status", "is_simulated"})


def _metadata(schema: pa.Schema, *, key: str | None, never_null: Collection[str]) -> dict[str, dg.TableSchema]:
    columns = [
        dg.TableColumn(
            name=field.name,
            # what the parts of a nested one are called is told by its description
            type="struct" if pa.types.is_struct(field.type) else str(field.type),
            description=MEANING[field.name],
            constraints=dg.TableColumnConstraints(
                nullable=field.name not in {key, *never_null}, unique=field.name == key
            ),
        )
        for field in schema
    ]
    of_table = [f"one row per day and {key}" if key else "one row per day"]
    return {"dagster/column_schema": dg.TableSchema(columns, constraints=dg.TableConstraints(other=of_table))}
