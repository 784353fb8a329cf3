"""What DEPLOYMENT.md shows is run here, or read by the program that it is meant for: units, proxy, storage, backups.
Commands that need root or a network are parsed, and what they name must exist."""

import configparser
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from click import Command

from orchestration.defs.retries import GROWTH
from orchestration.publishing import build_candidate, publish_candidate
from orchestration.settings import PROJECT_ROOT, Settings
from tests.publishing.warehouse import PASSED, Contents, write_warehouse

DEPLOYMENT = (PROJECT_ROOT / "DEPLOYMENT.md").read_text(encoding="utf-8")
APP = "/srv/observatory/app"
BLOCKS = {
    name: (language, text)
    for language, name, text in re.findall(r"^```(\w+) (\S+)\n(.*?)^```", DEPLOYMENT, re.MULTILINE | re.DOTALL)
}
UNITS = [name for name in BLOCKS if name.endswith(".service")]
SCRIPTS = [name for name, (language, _) in BLOCKS.items() if language == "sh"]


def text_of(name: str) -> str:
    return BLOCKS[name][1]


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read_string(text_of(name))
    return parser


def test_every_block_has_a_name_and_is_looked_at():
    assert len(BLOCKS) == DEPLOYMENT.count("\n```") // 2
    assert {language for language, _ in BLOCKS.values()} == {"sh", "ini", "yaml", "nginx"}
    assert len(UNITS) == 4


# ---------- Dagster's own files


def settings_of_dagster(variant: str, folder: Path) -> dict:
    """A variant's file as Dagster takes it; raises where it doesn't."""
    from dagster._core.instance.config import dagster_instance_config

    (folder / "dagster.yaml").write_text((PROJECT_ROOT / "orchestration" / variant).read_text(encoding="utf-8"))
    return dagster_instance_config(str(folder))[0]


def test_both_variants_are_configuration_that_dagster_takes_and_differ_in_the_storage_alone(tmp_path):
    embedded, postgres = (settings_of_dagster(name, tmp_path) for name in ("dagster.yaml", "dagster.postgres.yaml"))

    assert postgres == embedded | {"storage": {"postgres": {"postgres_url": {"env": "DAGSTER_PG_URL"}}}}
    assert embedded["concurrency"] == {"runs": {"max_concurrent_runs": 1}, "pools": {"default_limit": 1}}
    # a step's failure is tried again inside its run if it passes, and else is for people
    assert embedded["run_retries"]["retry_on_asset_or_op_failure"] is False
    assert set(embedded["retention"]) == {"schedule", "sensor"}
    for name in re.findall(r"`orchestration/(dagster[\w.]*\.yaml)`", DEPLOYMENT):
        assert (PROJECT_ROOT / "orchestration" / name).is_file()


def test_figures_in_the_text_are_those_of_the_files(tmp_path):
    monitoring = settings_of_dagster("dagster.postgres.yaml", tmp_path)["run_monitoring"]
    assert f"doesn't start in {monitoring['start_timeout_seconds'] // 60} minutes" in DEPLOYMENT
    assert f"runs for {monitoring['max_runtime_seconds'] // 3600} hours" in DEPLOYMENT
    defaults = Settings.model_fields
    minutes = [
        defaults["retry_seconds"].default * GROWTH**number / 60 for number in range(defaults["step_retries"].default)
    ]
    first, second, third, last = (f"{minute:.0f}" for minute in minutes)
    assert f"after {first}, {second}, {third} and {last}\n  minutes" in DEPLOYMENT


def test_the_workspace_is_one_code_server(tmp_path):
    from dagster._core.workspace.load import location_origins_from_yaml_paths

    (tmp_path / "workspace.yaml").write_text(text_of("workspace.yaml"))
    (origin,) = location_origins_from_yaml_paths([str(tmp_path / "workspace.yaml")])

    assert (origin.host, origin.port, origin.location_name) == ("127.0.0.1", 4000, "open_model_observatory")
    assert "-p 4000" in unit("observatory-code.service")["Service"]["ExecStart"]


def test_the_driver_is_of_the_locked_family():
    lock = (PROJECT_ROOT / "requirements.lock").read_text(encoding="utf-8")
    of_dbt = re.search(r"^dagster-dbt==([\d.]+)", lock, re.MULTILINE)[1]
    assert f"\ndagster-postgres=={of_dbt} " in lock
    assert "\npsycopg2-binary==" in lock
    assert "`postgresql+psycopg2://`" in DEPLOYMENT
    assert "\nDAGSTER_PG_URL=\n" in text_of("observatory.env"), "a secret stands nowhere else"


def test_settings_that_are_set_exist():
    named = re.findall(r"^(\w+)=", text_of("observatory.env"), re.MULTILINE)
    ours = {f"OBSERVATORY_{name.upper()}" for name in Settings.model_fields}
    assert set(named) - ours == {"DAGSTER_HOME", "DAGSTER_PG_URL", "HF_TOKEN"}
    assert set(re.findall(r"OBSERVATORY_[A-Z_]+", DEPLOYMENT)) <= ours


# ---------- services


def commands_of(name: str) -> list[list[str]]:
    service = unit(name)["Service"]
    return [shlex.split(service[key]) for key in ("ExecStartPre", "ExecStart") if key in service]


def dagster_command(arguments: list[str]) -> tuple[Command, list[str]]:
    from dagster._cli import create_dagster_cli
    from dagster._daemon.cli import create_dagster_daemon_cli
    from dagster_webserver.cli import dagster_webserver

    program, *rest = arguments
    command = {
        "dagster": create_dagster_cli,
        "dagster-daemon": create_dagster_daemon_cli,
        "dagster-webserver": lambda: dagster_webserver,
    }[Path(program).name]()
    while hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
    return command, rest


@pytest.mark.parametrize("name", UNITS)
def test_a_service_starts_what_there_is(name, tmp_path):
    *before, main = commands_of(name)
    for program, *rest in before:
        assert (program, rest) == (f"{APP}/.venv/bin/python", ["-m", "orchestration", "prepare"])
    (tmp_path / "workspace.yaml").touch()
    command, rest = dagster_command(
        [part.replace("/srv/observatory/workspace", f"{tmp_path}/workspace") for part in main]
    )
    # raises for an option that there isn't
    command.make_context(command.name, rest, resilient_parsing=False)
    assert main[0].startswith(f"{APP}/.venv/bin/")
    assert "0.0.0.0" not in " ".join(main)
    if "-p" in rest:
        assert rest[rest.index("-h") + 1] == "127.0.0.1"


def test_who_may_only_look_gets_a_server_that_launches_nothing():
    assert "--read-only" in commands_of("observatory-viewer.service")[-1]
    assert "--read-only" not in commands_of("observatory-web.service")[-1]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed here")
def test_systemd_takes_the_units(tmp_path):
    for name in [*UNITS, "observatory-.service.d/common.conf"]:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        here = text_of(name).replace(APP, str(PROJECT_ROOT)).replace("User=observatory", "User=root")
        file.write_text(here)
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *(str(tmp_path / name) for name in UNITS)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )
    said = [line for line in checked.stderr.splitlines() if "observatory-" in line]
    assert said == []


def test_services_are_hardened_and_write_in_one_place():
    common = unit("observatory-.service.d/common.conf")["Service"]
    assert common["User"] == "observatory"
    assert common["NoNewPrivileges"] == "yes"
    assert common["ProtectSystem"] == "strict"
    assert common["ReadWritePaths"] == "/srv/observatory"
    assert common["CapabilityBoundingSet"] == ""


# ---------- proxy


def locations() -> dict[str, str]:
    return dict(re.findall(r"location (\S+) \{\n(.*?)\n    \}", text_of("observatory.conf"), re.DOTALL))


def test_nothing_but_files_is_reached_without_a_login():
    assert set(locations()) == {"/report/", "/viewer/", "/"}
    for path, said in locations().items():
        assert ("auth_basic_user_file" in said) == (path != "/report/")
        assert ("proxy_pass" in said) == (path != "/report/")
    assert "127.0.0.1:3001" in locations()["/viewer/"]
    assert "--path-prefix /viewer" in text_of("observatory-viewer.service")
    assert "127.0.0.1:3000" in locations()["/"]
    assert locations()["/viewer/"].split("auth_basic_user_file")[1] != locations()["/"].split("auth_basic_user_file")[1]
    assert "listen 443 ssl;" in text_of("observatory.conf")
    assert text_of("observatory.conf").count("{") == text_of("observatory.conf").count("}")


@pytest.mark.skipif(
    not (shutil.which("nginx") and shutil.which("openssl")), reason="nginx and openssl are not installed here"
)
def test_nginx_takes_the_proxy(tmp_path):
    certificate = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=observatory.example.org"]
    files = {"-keyout": "key.pem", "-out": "fullchain.pem"}
    options = [part for option, name in files.items() for part in (option, str(tmp_path / name))]
    subprocess.run([*certificate, *options], capture_output=True, check=True, timeout=60)
    here = text_of("observatory.conf").replace("/etc/nginx/observatory", str(tmp_path)).replace(" 443 ", " 18443 ")
    bodies = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    aside = " ".join(f"{name}_temp_path {tmp_path}/{name};" for name in bodies)
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{ access_log off; {aside}\n{here}\n}}"
    )
    checked = subprocess.run(
        ["nginx", "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr


# ---------- commands


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_command_is_one_that_a_shell_takes(name):
    checked = subprocess.run(["bash", "-n", "-c", text_of(name)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_what_commands_name_exists():
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(rf"make (?:-C {APP} )?([a-z]+)", DEPLOYMENT):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    services = {name.removesuffix(".service") for name in UNITS}
    for script in ("services", "upgrade"):
        assert set(re.findall(r"observatory-\w+", text_of(script))) <= services
    assert set(re.findall(r"observatory-\w+", text_of("services"))) == services


def run_script(name: str, **variables: Path) -> str:
    environment = {"PATH": os.environ["PATH"], **{key: str(value) for key, value in variables.items()}}
    ran = subprocess.run(
        ["bash", "-c", text_of(name)], capture_output=True, text=True, timeout=120, env=environment, cwd=PROJECT_ROOT
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def publish(settings: Settings, number: int) -> None:
    """One more version of a small warehouse, as a run would publish it."""
    name = f"version-{number}"
    candidate = build_candidate(settings, version_id=name, run_id=name, snapshot_dates=[Contents().first_day])
    publish_candidate(settings, candidate, quality=[PASSED])


def contents(home: Path) -> dict[str, bytes | str]:
    """Each file and link of what is backed up."""
    kept = [path for name in ("landing", "published", "quality") for path in (home / name).rglob("*")]
    return {
        str(path.relative_to(home)): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in kept
        if path.is_symlink() or path.is_file()
    }


def test_a_restored_home_answers_as_the_live_one(tmp_path):
    home, backups, restored = tmp_path / "home", tmp_path / "backups", tmp_path / "restored"
    settings = Settings(home=home)
    write_warehouse(settings.warehouse_path)
    day = settings.landing_dir / "models" / "snapshot_date=2026-10-06"
    day.mkdir(parents=True)
    (day / "part-00000.parquet").write_bytes(b"rows of a day")
    publish(settings, 1)
    run_script("backup", OBSERVATORY_HOME=home, BACKUPS=backups)
    (first,) = backups.glob("*.tar.zst")
    first.rename(first.with_name(re.sub(r"\d\d-\d{6}", "00-000000", first.name)))  # the next may come within a second
    # what changes between two backups: a new day and version, and one that is thinned
    shutil.copytree(day, day.with_name("snapshot_date=2026-10-07"))
    (day / "part-00000.parquet").unlink()
    (day / "part-00001.parquet").write_bytes(b"thinned")
    publish(settings, 2)
    run_script("backup", OBSERVATORY_HOME=home, BACKUPS=backups)

    said = run_script("restore", RESTORED=restored, BACKUPS=backups, APP=PROJECT_ROOT)

    assert contents(restored) == contents(home)
    assert (restored / "published" / "current").is_symlink()
    assert "China" in said
    assert str(restored / "published" / "current" / "observatory.duckdb") in said
    assert {path.stat().st_mode & 0o077 for path in backups.iterdir()} == {0}


def test_storage_is_migrated_by_the_command_that_is_shown(tmp_path, monkeypatch, capsys):
    *_, migrate = text_of("migrate").strip().splitlines()
    (tmp_path / "dagster.yaml").write_text((PROJECT_ROOT / "orchestration" / "dagster.yaml").read_text())
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    command, rest = dagster_command(shlex.split(migrate))
    command.main(rest, standalone_mode=False)
    assert "storage" in capsys.readouterr().out
