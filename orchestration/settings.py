"""Every environment variable that the observatory reads, with its default and meaning, and the paths that follow from them.
Nothing else reads the environment; thresholds about data do not belong here but beside the rule that uses them."""

import os
import re
from functools import cached_property
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent

# Products that phone home are told not to, before any of them is imported.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")


# That `hub.listings` has beside the models, and `hub.archive` has: tests hold them together.
FURTHER_LISTINGS, ARCHIVES = ("datasets", "spaces"), ("hub_stats", "weekly")


class Settings(BaseSettings):
    """Where things are and how the Hub is asked. Read from `OBSERVATORY_*`, and from the Hub client's own `HF_*` names."""

    model_config = SettingsConfigDict(
        env_prefix="OBSERVATORY_", frozen=True, populate_by_name=True, extra="ignore", env_ignore_empty=True
    )

    home: Path = Field(default=PROJECT_ROOT / "data", description="Folder that holds all state.")
    hub_endpoint: str = Field(
        default="https://huggingface.co",
        validation_alias=AliasChoices("OBSERVATORY_HUB_ENDPOINT", "HF_ENDPOINT"),
        description="Base address of the Hub to read.",
    )
    hf_token: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("OBSERVATORY_HF_TOKEN", "HF_TOKEN"),
        description="Optional Hub token: doubles the request budget. Use one that sees no private repositories.",
    )
    rate_share: float = Field(default=0.5, gt=0, le=1, description="Share of the Hub's announced rate limit to spend.")
    page_size: int = Field(default=1000, ge=1, le=1000, description="Rows asked for in a page of the listing.")
    pages_per_shard: int = Field(
        default=25, ge=1, description="Pages held in memory before a Parquet shard is written."
    )
    listings: str = Field(
        default="", description="Further listings to land each day, separated by spaces: datasets, spaces."
    )
    archives: str = Field(
        default="hub_stats",
        description="Archives that past days come from, in this order: hub_stats, weekly (ODbL). Empty: none.",
    )
    account_lookups: int = Field(
        default=400, ge=0, description="Accounts (organisation or person?) looked up a day, biggest by downloads first."
    )
    keep_versions: int = Field(default=7, ge=2, description="Published versions kept.")
    keep_full_days: int = Field(
        default=30, ge=1, description="Landed days kept in full; older ones are thinned by `make thin`."
    )
    duckdb_memory: str = Field(
        default="2GB",
        description="Memory that DuckDB may take in a run before it spills to disk; Python's comes on top.",
    )
    keep_runs: int = Field(
        default=120,
        ge=10,
        description="Ended runs whose whole event log is kept, newest first; of older ones stays which days were materialised.",
    )
    step_retries: int = Field(
        default=4,
        ge=0,
        description="Tries again of a step whose failure passes by itself (network, a lock), in runs of UI and schedule.",
    )
    retry_seconds: float = Field(
        default=60, ge=0, description="Seconds before the first of these tries; each next one waits four times as long."
    )
    ui_port: int = Field(default=3000, ge=0, le=65535, description="Port of Dagster's UI on 127.0.0.1.")
    dagster_yaml: Path = Field(
        default=PROJECT_ROOT / "orchestration" / "dagster.yaml",
        description="Dagster's own settings, copied into the home: another file for another storage, see DEPLOYMENT.md.",
    )
    ui_url: str = Field(
        default="", description="Address of Dagster's UI as readers of alerts reach it. Empty: 127.0.0.1 and the port."
    )
    report_url: str = Field(
        default="",
        description="Address at which the folder published/current/report is served to readers. Empty: its path is shown.",
    )
    runbook_url: str = Field(
        default="", description="Address of RUNBOOK.md as the team reaches it. Empty: alerts and checks name the file."
    )
    notify_urls: SecretStr = Field(
        default=SecretStr(""),
        description="Apprise addresses for alerts (Slack, Teams, mail, webhook …), separated by spaces.",
    )
    notify_urls_blocks: SecretStr = Field(
        default=SecretStr(""),
        description="Addresses for what stops a day, instead of the general ones. Empty: the general ones.",
    )
    notify_urls_investigate: SecretStr = Field(
        default=SecretStr(""),
        description="Addresses for what is published and marked, instead of the general ones. Empty: the general ones.",
    )
    notify_urls_domain: SecretStr = Field(
        default=SecretStr(""),
        description="Addresses for news in the data, instead of the general ones. Empty: the general ones.",
    )
    alert_repeat_hours: float = Field(
        default=24, gt=0, description="Hours after which an incident that is still open is told again."
    )
    publish_deadline_utc: str = Field(
        default="16:00", description="Time of day (UTC) by which the day itself is to be published."
    )
    heartbeat_url: SecretStr = Field(
        default=SecretStr(""),
        description="Address that is asked for (GET) after each good look for alerts: a dead man's switch. Empty: none.",
    )

    @field_validator("home", "dagster_yaml")
    @classmethod
    def absolute_path(cls, path: Path) -> Path:
        return path.expanduser().resolve()

    @field_validator("listings", "archives")
    @classmethod
    def known_names(cls, names: str, info: ValidationInfo) -> str:
        known = FURTHER_LISTINGS if info.field_name == "listings" else ARCHIVES
        unknown = sorted(set(names.split()) - set(known))
        if unknown:
            raise ValueError(
                f"found {', '.join(unknown)}; expected any of {', '.join(known)}, separated by spaces. "
                f"Correct OBSERVATORY_{info.field_name.upper()}"
            )
        return names

    @field_validator("duckdb_memory")
    @classmethod
    def size_with_unit(cls, size: str) -> str:
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)? ?[KMGT]i?B", size):
            raise ValueError(f"found {size}; expected a size such as 1500MB or 2GB. Correct OBSERVATORY_DUCKDB_MEMORY")
        return size

    @field_validator("publish_deadline_utc")
    @classmethod
    def time_of_day(cls, deadline: str) -> str:
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", deadline):
            raise ValueError(
                f"found {deadline}; expected a time of day as HH:MM, UTC. Correct OBSERVATORY_PUBLISH_DEADLINE_UTC"
            )
        return deadline

    @field_validator("hub_endpoint", "ui_url", "report_url", "runbook_url")
    @classmethod
    def address_without_slash(cls, address: str) -> str:
        return address.rstrip("/")

    @cached_property
    def landing_dir(self) -> Path:
        return self.home / "landing"

    @cached_property
    def warehouse_path(self) -> Path:
        return self.home / "warehouse" / "observatory.duckdb"

    @cached_property
    def quality_dir(self) -> Path:
        return self.home / "quality"

    @cached_property
    def published_dir(self) -> Path:
        return self.home / "published"

    @cached_property
    def alerts_file(self) -> Path:
        return self.home / "alerts.jsonl"

    @cached_property
    def alerts_dir(self) -> Path:
        return self.home / "alerts"

    @cached_property
    def dagster_home(self) -> Path:
        return self.home / "dagster"
