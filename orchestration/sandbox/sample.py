"""The bundled sample of real models: how it was cut from the package `llmfit`, and how it is read.
Nothing is simulated here; whatever the source lacks is made up in `demo.py`, where it is marked."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SAMPLE_PATH = Path(__file__).parent / "sample" / "llmfit_models.parquet"
SOURCE_VERSION = "llmfit 1.1.17"

SCHEMA = pa.schema(
    [
        pa.field("name", pa.string(), nullable=False),
        ("pipeline_tag", pa.string()),
        ("architecture", pa.string()),
        pa.field("hf_downloads", pa.int64(), nullable=False),
        pa.field("hf_likes", pa.int64(), nullable=False),
        pa.field("release_date", pa.date32(), nullable=False),
        ("license", pa.string()),
        pa.field("parameters_raw", pa.int64(), nullable=False),
        ("is_moe", pa.bool_()),
        ("num_experts", pa.int64()),
        ("active_parameters", pa.int64()),
    ]
)


def build_sample(source: Path, target: Path = SAMPLE_PATH) -> int:
    """Cut the sample from `source` (the Parquet of all models that the package knows) and write it to `target`.

    Keeps every row that has a release date, the columns of `SCHEMA`, and the order of the names. Returns the number of
    rows. Raises ValueError when a needed column is missing or a kept row has no name or counts.
    """
    table = pq.read_table(source)
    missing = [name for name in SCHEMA.names if name not in table.column_names]
    if missing:
        raise ValueError(f"{source} lacks the columns {missing}; expected those of {SOURCE_VERSION}; use that version.")
    table = table.select(SCHEMA.names)
    dated = pc.and_(pc.is_valid(table["release_date"]), pc.not_equal(table["release_date"], ""))
    table = table.filter(dated).cast(SCHEMA).sort_by("name")
    table = table.replace_schema_metadata({"source": SOURCE_VERSION, "license": "MIT, see LICENSE-llmfit"})
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, target, compression="zstd", compression_level=19)
    return table.num_rows


def read_sample(path: Path = SAMPLE_PATH) -> pa.Table:
    """All rows of the sample in the order of their names, as `SCHEMA`. Raises FileNotFoundError if it isn't there."""
    if not path.is_file():
        raise FileNotFoundError(
            f"The bundled sample {path.name} is missing; expected it beside its notice in {path.parent.name}/; "
            "restore it from the repository."
        )
    return pq.read_table(path).cast(SCHEMA)
