"""Names inside a version that more than one module has to know, and how names and texts are written in SQL.
What lies under these names is made elsewhere: tables in `candidate`, day files in `day_files`, the manifest in `versions`."""

DATABASE_NAME = "observatory.duckdb"
MANIFEST_NAME = "manifest.json"
SCHEMA_NAME = "manifest.schema.json"
CITATION_NAME = "CITATION.cff"
SCHEMA = "marts"


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def text_literal(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"
