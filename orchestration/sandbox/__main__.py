"""The command line of the sandbox: write a world, or serve one on this machine until it is stopped.
What a world holds and how it is served is decided in the modules beside; here are only arguments and their checks."""

import argparse
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack
from datetime import date
from pathlib import Path

DEFAULT_DAYS = 8
DEFAULT_SEED = 7


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code. Ends cleanly on SIGINT and SIGTERM."""
    parser = _parser()
    options = parser.parse_args(arguments)
    _check(parser, options)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        try:
            snapshots = options.snapshots or _write(options, stack)
            if not options.write_only:
                _serve(options, snapshots, stop)
        except (ValueError, OSError) as error:  # each says what was found, what was expected and what to do
            _say(f"error: {error}", file=sys.stderr)
            return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m orchestration.sandbox",
        description="A Hub on your laptop: serves snapshots over the Hub's own HTTP API, by default the bundled "
        "demo world. Whatever it makes up is simulated and says so.",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--snapshots", type=Path, metavar="DIR", help="serve this folder of snapshot_date=YYYY-MM-DD folders"
    )
    source.add_argument(
        "--population", type=int, metavar="N", help="make up a Hub of N models instead of the demo world"
    )
    parser.add_argument("--days", type=int, metavar="D", help=f"calendar days to simulate (default {DEFAULT_DAYS})")
    parser.add_argument("--seed", type=int, metavar="S", help=f"seed of the simulation (default {DEFAULT_SEED})")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="keep the written world here (default: a temporary folder)"
    )
    parser.add_argument("--write-only", action="store_true", help="write the world to --out and stop")
    parser.add_argument("--port", type=int, default=0, metavar="P", help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--rate-limit", type=int, default=100_000, metavar="N", help="requests per five-minute window")
    parser.add_argument("--faults", type=Path, metavar="FILE", help="faults to inject, as JSON")
    parser.add_argument("--day", type=date.fromisoformat, metavar="YYYY-MM-DD", help="the day the clock starts on")
    parser.add_argument(
        "--advance", action="store_true", help="move to the next day when the listing was read to its end"
    )
    return parser


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    made = [f"--{name}" for name in ("days", "seed", "out") if getattr(options, name) is not None]
    if options.snapshots and (made or options.write_only):
        parser.error(f"--snapshots serves what is there; leave out {', '.join(made) or '--write-only'}")
    if options.snapshots and not options.snapshots.is_dir():
        parser.error(
            f"--snapshots {options.snapshots} is no folder; expected one with snapshot_date=YYYY-MM-DD folders"
        )
    if options.write_only and options.out is None:
        parser.error("--write-only needs --out DIR to write to")
    if options.days is not None and options.days < 1:
        parser.error(f"--days {options.days}; a world has at least one day")


def _write(options: argparse.Namespace, stack: ExitStack) -> Path:
    out = options.out
    if out is None:
        out = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sandbox-hub-"))) / "world"
    days = DEFAULT_DAYS if options.days is None else options.days
    seed = DEFAULT_SEED if options.seed is None else options.seed
    # Imported here so that --help and errors in the arguments come at once.
    if options.population is None:
        from orchestration.sandbox.demo import write_demo_world

        world = write_demo_world(out, days=days, seed=seed)
    else:
        from orchestration.sandbox.population import write_population

        world = write_population(out, models=options.population, days=days, seed=seed)
    _say(f"Wrote a simulated world of {world.models} models and {len(world.days)} days. {world.description}")
    if options.write_only:
        _say(f"days: {', '.join(map(str, world.days))} (missing: {', '.join(map(str, world.missing_days)) or 'none'})")
    return out


def _serve(options: argparse.Namespace, snapshots: Path, stop: threading.Event) -> None:
    from orchestration.sandbox.server import SandboxHub

    with SandboxHub(
        snapshots,
        day=options.day,
        port=options.port,
        rate_limit=options.rate_limit,
        advance=options.advance,
        faults=options.faults,
    ) as hub:
        kind = "simulated" if hub.snapshots.is_simulated else "recorded"
        _say(f"Sandbox Hub ({kind} data) at {hub.url}")
        _say(f"days: {', '.join(map(str, hub.days))}; the clock says {hub.day}; stop with Ctrl+C")
        stop.wait()


def _say(line: str, file=None) -> None:
    print(line, file=file or sys.stdout, flush=True)


if __name__ == "__main__":
    sys.exit(main())
