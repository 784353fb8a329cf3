"""From records to figures, each with its aim beside it, and from figures to the table that people read.
Nothing is measured here; an aim that is missed is said to be."""

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

MB = 1_000_000
WHOLE_HUB = 3_000_000
LANDED_AIM = 330 * MB / WHOLE_HUB  # bytes a model
ASKED = {"in a database just opened": "first", "asked again": "again"}
VERSIONS = ("pyarrow", "duckdb", "orjson", "httpx2", "dagster", "dagster-dbt", "numpy")


@dataclass(frozen=True)
class Figure:
    """One line of the table: the median of `values`; `aim` is a bound on it, upper unless `is_floor`."""

    name: str
    unit: str
    rows: int | None
    values: tuple[float, ...]
    aim: float | None = None
    is_floor: bool = False
    note: str = ""

    @property
    def median(self) -> float | None:
        return median(self.values) if self.values else None

    @property
    def is_met(self) -> bool | None:
        """None without an aim, or if it was not measured."""
        if self.aim is None or self.median is None:
            return None
        return self.median >= self.aim if self.is_floor else self.median <= self.aim

    def as_dict(self) -> dict:
        return asdict(self) | {"median": self.median, "is_met": self.is_met}


def machine() -> dict[str, object]:
    """What was measured on."""
    return {
        "cpu": _first_of("/proc/cpuinfo", "model name") or platform.processor() or "unknown",
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _first_of(path: str, name: str) -> str | None:
    if not Path(path).exists():
        return None
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), None)


def versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in VERSIONS}


def figures(results: dict) -> list[Figure]:
    """Every figure that a run of the benchmarks has; those that it left out have no values and say so."""
    return [
        *_of_extraction(results["extraction"]),
        *_of_daily_job(results["daily_job"]),
        *_of_misbehaving(results["misbehaving"]),
        *(of_daily(results["daily"]) if "daily" in results else []),
    ]


def _of_extraction(records: list[dict]) -> list[Figure]:
    first, second = _each(records, "land_first_day"), _each(records, "land_second_day")
    floor_bytes, floor_parse = _each(records, "bytes"), _each(records, "parse")
    rows, rows_second = first[0]["rows"], second[0]["rows"]
    whole_process = "of the whole process: interpreter, imports, walk, gate, files made durable"
    speed, memory, size = "rows/s", "MB", "bytes/model"
    landed = [
        Figure("landing a first day", speed, rows, _values(first, _speed), 60_000, True, whole_process),
        Figure(
            "landing a second day, compared", speed, rows_second, _values(second, _speed), 60_000, True, whole_process
        ),
        Figure("landing a first day", "s", rows, _values(first, _wall)),
        Figure("landing a second day, compared", "s", rows_second, _values(second, _wall)),
        Figure("what the comparison adds", "s", rows_second, _pairs(second, first, lambda b, a: _wall(b) - _wall(a))),
        Figure("peak memory, first day", memory, rows, _values(first, _peak), 250, note="by the kernel's count"),
        Figure("peak memory, second day", memory, rows_second, _values(second, _peak), 250),
        Figure("landed size, first day", size, rows, _values(first, _landed), LANDED_AIM, note="110 is 330 MB for 3 M"),
        Figure("landed size, first day", memory, rows, _values(first, lambda record: record["landed_bytes"] / MB)),
        Figure("first day : parse-only floor", "× wall", rows, _pairs(first, floor_parse, _wall_ratio), 1.8),
        Figure("second day : parse-only floor", "× wall", rows_second, _pairs(second, floor_parse, _wall_ratio), 1.8),
        Figure("first day : parse-only floor", "× CPU", rows, _pairs(first, floor_parse, _cpu_ratio)),
        Figure("first day", "CPU s", rows, _values(first, _cpu)),
        Figure("second day", "CPU s", rows_second, _values(second, _cpu)),
    ]
    gate, every = _each(records, "judge_raw"), "of the whole process; the day before beside it"
    landed += [
        Figure("raw gate, all promises", "s", rows_second, _values(gate, _wall), 10, note=every),
        Figure("raw gate, all promises", "CPU s", rows_second, _values(gate, _cpu)),
        Figure("raw gate, peak memory", memory, rows_second, _values(gate, _peak), 500),
        Figure(
            "raw gate, the dearest promise alone",
            "s",
            rows_second,
            _values(gate, lambda record: max(record["seconds"].values())),
            note=", ".join(sorted({max(record["seconds"], key=record["seconds"].get) for record in gate})),
        ),
    ]
    floors = [
        Figure("floor: bytes only", "s", rows, _values(floor_bytes, _wall)),
        Figure("floor: parse only", "s", rows, _values(floor_parse, _wall)),
        Figure("floor: parse only", speed, rows, _values(floor_parse, _speed)),
        Figure("floor: parse only, peak memory", memory, rows, _values(floor_parse, _peak)),
        Figure(
            "the page server's own CPU",
            "ms/page",
            rows,
            _values([r for r in records if "pages" in r], _server),
            0.3,
            note="while it is read from",
        ),
    ]
    return landed + floors


def _of_daily_job(records: list[dict]) -> list[Figure]:
    def of(name: str, unit: str, what: str, read: Callable[[dict], float], note: str = "", rows: int | None = None):
        values = _values(_each(records, what), read)
        return Figure(name, unit, rows, values, note=note if values else "not measured in a quick run")

    again = "day landed already, all steps run again"
    return [
        of("loading the definitions", "s", "load_definitions", _wall, "import and resolve, fresh process"),
        of("loading the definitions, peak memory", "MB", "load_definitions", _peak),
        of("importing Dagster and dagster-dbt alone", "s", "load_dagster", _wall),
        of("daily job, small day for the first time", "s", "run_small_day", _wall, "lands, builds, publishes", 2_000),
        of("daily job, the same day again", "s", "run_landed_day", _wall, again, 2_000),
        of(
            "daily job again: outside the steps",
            "s",
            "run_landed_day",
            lambda record: record["overhead_seconds"],
            rows=2_000,
        ),
        of("daily job again: inside the run, between steps", "s", "run_landed_day", _between_steps, rows=2_000),
        of("daily job again: peak memory", "MB", "run_landed_day", _peak, rows=2_000),
        of(
            "daily job again: importing great_expectations",
            "s",
            "judge_small_day",
            lambda record: _gates(record)[0],
            rows=2_000,
        ),
        of(
            "daily job again: its gates, alone and after that import",
            "s",
            "judge_small_day",
            lambda record: _gates(record)[1],
            rows=2_000,
        ),
    ]


def _gates(record: dict) -> tuple[float, float]:
    """Seconds of the import, and of the gates after it."""
    seconds = list(record["gate_seconds"].values())
    return seconds[0], sum(seconds[1:])


def _of_misbehaving(told: dict) -> list[Figure]:
    rows = told["rows"]
    return [
        Figure(
            "misbehaving Hub: rows that differ from a clean walk", "rows", rows, (abs(rows - told["clean_rows"]),), 0
        ),
        Figure("misbehaving Hub: faults survived", "faults", rows, (sum(told["faults"].values()),)),
        Figure("misbehaving Hub: kills resumed from", "kills", rows, (told["kills"],), 2, True),
    ]


DAILY_AIM, OUTSIDE_AIM, DAILY_MEMORY_AIM = (
    60,
    15,
    3_000,
)  # seconds, seconds, MB: for 3 M models on two cores (2026-11-29)


def of_daily(records: list[dict]) -> list[Figure]:
    """The daily job beside floor and peers. Its parts are told apart: start-up, gates, other steps, what is between them."""
    days, inside, floors = (_each(records, what) for what in ("daily_job", "inside_duckdb", "floor"))
    rows, first = days[0]["rows"], _each(records, "first_day")
    duckdb = inside[0]["duckdb_seconds"]
    return [
        Figure(
            "daily job, run's start to swap",
            "s",
            rows,
            _values(days, _to_swap),
            DAILY_AIM,
            note="all checks, fresh process",
        ),
        Figure(
            "daily job, to swap, outside DuckDB",
            "s",
            rows,
            # a share, since between two days the machine's speed changes by more than this is
            _values(days, lambda record: _to_swap(record) * (1 - duckdb / _to_swap(inside[0]))),
            OUTSIDE_AIM,
            note="by the share on another day, looked into, whose notes are part of it",
        ),
        Figure("daily job, peak memory", "MB", rows, _values(days, _peak), DAILY_MEMORY_AIM),
        Figure("daily job, whole process", "s", rows, _values(days, _wall)),
        Figure("daily job, whole process", "CPU s", rows, _values(days, _cpu)),
        Figure("daily job, before the run's start", "s", rows, _values(days, lambda record: record["startup_seconds"])),
        Figure("daily job, inside DuckDB", "s", rows, (duckdb,), note="on the day that was looked into"),
        Figure(
            "daily job, inside DuckDB",
            "CPU s",
            rows,
            (inside[0]["duckdb_cpu_seconds"],),
            note="with what Python did beside",
        ),
        *_of_steps(days, inside, rows),
        Figure("daily job, between steps", "s", rows, _values(days, _between_steps)),
        Figure("daily job, bytes read", "MB", rows, _values(days, lambda record: record["read_bytes"] / MB)),
        Figure("first day of a history, whole process", "CPU s", rows, _values(first, _cpu)),
        Figure("floor: plain SQL", "s", rows, _values(floors, _wall)),
        Figure("floor: plain SQL", "CPU s", rows, _values(floors, _cpu)),
        Figure("floor: plain SQL, peak memory", "MB", rows, _values(floors, _peak)),
        Figure("daily job : floor", "× CPU", rows, _pairs(days[-1:], floors, _cpu_ratio)),
        *_of_peers(records, days),
    ]


def _of_steps(days: list[dict], inside: list[dict], rows: int) -> list[Figure]:
    """Each step in the order of the run, and how much of it was DuckDB's when that was looked at; gates together once more."""

    def seconds(record: dict, steps: Sequence[str]) -> float:
        return sum(record["of_steps"][step][1] - record["of_steps"][step][0] for step in steps)

    of_steps = days[0]["of_steps"]
    in_order = sorted(of_steps, key=lambda step: of_steps[step][0])
    gates = [step for step in in_order if step.endswith("_gate")]
    shown = [Figure("daily job, all gates", "s", rows, tuple(seconds(day, gates) for day in days))]
    for step in in_order:
        of_duckdb = inside[0]["duckdb_of_steps"].get(step)
        note = "" if of_duckdb is None else f"{of_duckdb:.1f} s of it in DuckDB on the day that was looked into"
        shown.append(Figure(f"step {step}", "s", rows, tuple(seconds(day, [step]) for day in days), note=note))
    return shown


def _of_peers(records: list[dict], days: list[dict]) -> list[Figure]:
    """None if they were left out."""
    pandas, layers, full = (_each(records, what) for what in ("pandas", "layers_of_a_day", "full_refresh"))
    if not pandas:
        return []
    rows = layers[0]["rows"]
    same = f"{pandas[0]['compared']:,} rows of its tables are the marts' to the unit"
    anew = f"{full[0]['days']} days, all layers, without gates"
    return [
        Figure("peer: a pandas script", "s", days[0]["rows"], _values(pandas, _wall), note=same),
        Figure("peer: a pandas script", "CPU s", days[0]["rows"], _values(pandas, _cpu)),
        Figure("peer: a pandas script, peak memory", "MB", days[0]["rows"], _values(pandas, _peak)),
        Figure("layers of a day, built on those before", "CPU s", rows, _values(layers, _cpu), note="without gates"),
        Figure("peer: full refresh", "CPU s", rows, _values(full, _cpu), note=anew),
        Figure("peer: full refresh : layers of a day", "× CPU", rows, _pairs(full, layers, _cpu_ratio)),
    ]


GROWTH_AIM, GROWN_MB_AIM, BACKFILL_AIM = 1.15, 20, 20  # ×, MB a day for 3 M models, × one daily job (2026-11-29)


def of_growth(records: list[dict]) -> list[Figure]:
    """The daily job on each measured day of a history, the last in ratio to the first and to itself without history, and what
    the warehouse gains a day."""
    records, (alone,) = _each(records, "daily_job"), _each(records, "without_history")
    shown = []
    for unit, read in {
        "CPU s": _cpu,
        "s": _wall,
        "MB of memory": _peak,
        "MB read": lambda each: each["read_bytes"] / MB,
    }.items():
        for record in records:
            shown.append(Figure(f"daily job on day {record['number']}", unit, record["rows"], (read(record),)))
        day = f"daily job on day {alone['number']}, as the 2nd of a history"
        shown.append(Figure(day, unit, alone["rows"], (read(alone),)))
    first, last = records[0], records[-1]
    before = records[-2] if len(records) > 1 else first
    days = max(1, last["number"] - before["number"])
    gained = (sum(last["tables"].values()) - sum(before["tables"].values())) / days / MB
    scaled = gained * WHOLE_HUB / last["rows"]
    through = f"day {before['number']} to {last['number']}"
    ratio = f"day {last['number']} : day {first['number']}"
    same = "the same models: what history alone adds"
    overstated = "in proportion, which overstates what does not grow with the models"
    return [
        Figure(f"daily job, {ratio}", "× CPU", last["rows"], (_cpu_ratio(last, first),), GROWTH_AIM),
        Figure(f"daily job, {ratio}", "× wall", last["rows"], (_wall_ratio(last, first),)),
        *(
            Figure(
                f"daily job, day {last['number']} : itself as the 2nd day",
                unit,
                last["rows"],
                (ratio_of(last, alone),),
                note=same,
            )
            for unit, ratio_of in {"× CPU": _cpu_ratio, "× wall": _wall_ratio}.items()
        ),
        Figure("warehouse, gained a day", "MB", last["rows"], (gained,), note=f"blocks of tables, {through}"),
        Figure("warehouse, gained a day, for 3 M models", "MB", WHOLE_HUB, (scaled,), GROWN_MB_AIM, note=overstated),
        *shown,
    ]


def of_backfill(records: list[dict]) -> list[Figure]:
    (filled,), (daily,) = _each(records, "backfill"), _each(records, "daily_job")
    rows, days = daily["rows"], filled["days"]
    return [
        Figure(
            f"backfill of {days} landed days : the daily job", "× CPU", rows, (_cpu_ratio(filled, daily),), BACKFILL_AIM
        ),
        Figure(
            f"backfill of {days} landed days : the daily job",
            "× wall",
            rows,
            (_wall_ratio(filled, daily),),
            BACKFILL_AIM,
        ),
        Figure("backfill", "s", rows, (_wall(filled),), note=f"{days} days"),
        Figure("backfill", "CPU s", rows, (_cpu(filled),)),
        Figure("backfill, peak memory", "MB", rows, (_peak(filled),)),
        Figure("daily job for the day after", "s", rows, (_wall(daily),)),
        Figure("daily job for the day after", "CPU s", rows, (_cpu(daily),)),
    ]


def _to_swap(record: dict) -> float:
    return record["to_swap_seconds"]


def of_queries(told: dict) -> list[Figure]:
    """The slowest question's times; each question's own are in `queries.json`."""
    shown = []
    for when, key in ASKED.items():
        slowest = max(told["queries"], key=lambda query: query[f"{key}_median"])
        note = f"{len(told['queries'])} questions, {told['days']} days; {slowest['question']}"
        times = tuple(slowest[f"{key}_ms"])
        shown.append(
            Figure(f"an analyst's slowest question, {when}", "ms", told["models"], times, told["aim_ms"], note=note)
        )
    return shown


def _each(records: list[dict], what: str) -> list[dict]:
    return sorted((record for record in records if record["what"] == what), key=lambda record: record["repeat"])


def _values(records: list[dict], read: Callable[[dict], float]) -> tuple[float, ...]:
    return tuple(read(record) for record in records)


def _pairs(records: list[dict], others: list[dict], read: Callable[[dict, dict], float]) -> tuple[float, ...]:
    """One value for each repeat, from two records of it: taken minutes apart, they met about the same machine."""
    return tuple(read(record, other) for record, other in zip(records, others, strict=True))


def _wall(record: dict) -> float:
    return record["wall_seconds"]


def _cpu(record: dict) -> float:
    return record["cpu_seconds"]


def _speed(record: dict) -> float:
    return record["rows"] / record["wall_seconds"]


def _peak(record: dict) -> float:
    return record["peak_bytes"] / MB


def _landed(record: dict) -> float:
    return record["landed_bytes"] / record["rows"]


def _server(record: dict) -> float:
    return 1000 * record["server_cpu_seconds"] / record["server_requests"]


def _wall_ratio(record: dict, floor: dict) -> float:
    return _wall(record) / _wall(floor)


def _cpu_ratio(record: dict, floor: dict) -> float:
    return _cpu(record) / _cpu(floor)


def _between_steps(record: dict) -> float:
    return record["run_seconds"] - record["step_seconds"]


def markdown(results: dict, shown: Sequence[Figure]) -> str:
    """The table, the machine, what was simulated, and in words which aims are missed."""
    where, arguments = results["machine"], results["arguments"]
    pages = results["pages"]["days"][0]
    missed = [figure for figure in shown if figure.is_met is False]
    lines = [
        "# Benchmark results",
        "",
        "Written by `make bench`; what each figure means is in `benchmarks/README.md`. All rows are simulated.",
        "",
        f"- **Date**: {results['date']}; load average before: {results['load_before']:.2f}",
        f"- **Machine**: {where['cpu']}, {where['cores']} cores, {where['memory_gb']} GB, {where['system']}",
        f"- **Versions**: {', '.join(f'{name} {number}' for name, number in results['versions'].items())}",
        f"- **Repeats**: {arguments['repeats']}; the median is shown, least and most beside it. MB are 10⁶ bytes.",
        f"- **Pages**: {pages['rows']:,} models on {pages['pages']:,} pages a day; a model has {pages['raw_bytes_a_model']}"
        f" bytes of JSON ({pages['gzip_bytes_a_model']} as gzip) and {pages['tags_a_model']} tags",
        "",
    ]
    if arguments["models"] < WHOLE_HUB:
        lines += [
            f"**A small run, of {arguments['models']:,} models.** The aims are for {WHOLE_HUB:,}: starting a process weighs"
            " more here, and memory less.",
            "",
        ]
    lines += _missed(missed)
    lines += table_of(shown)
    return "\n".join(lines) + "\n"


def table_of(shown: Sequence[Figure]) -> list[str]:
    """The lines of the table."""
    head = ["| figure | rows | median | least – most | aim | |", "| --- | ---: | ---: | ---: | ---: | --- |"]
    return head + [_row(figure) for figure in shown]


def _missed(missed: list[Figure]) -> list[str]:
    if not missed:
        return ["No aim is missed.", ""]
    listed = [f"- {each.name}: {_number(each.median)} {each.unit}, aim {_aim(each)}" for each in missed]
    return [f"**{len(missed)} aims are missed:**" if len(missed) > 1 else "**An aim is missed:**", "", *listed, ""]


def _row(figure: Figure) -> str:
    value = "–" if figure.median is None else f"{_number(figure.median)} {figure.unit}"
    spread = f"{_number(min(figure.values))} – {_number(max(figure.values))}" if len(figure.values) > 1 else ""
    verdict = {True: "met", False: "**missed**", None: ""}[figure.is_met]
    said = "; ".join(part for part in (verdict, figure.note) if part)
    rows = "" if figure.rows is None else f"{figure.rows:,}"
    return f"| {figure.name} | {rows} | {value} | {spread} | {_aim(figure)} | {said} |"


def _aim(figure: Figure) -> str:
    return "" if figure.aim is None else f"{'≥' if figure.is_floor else '≤'} {_number(figure.aim)}"


def _number(value: float) -> str:
    if abs(value) >= 100 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.2f}"
