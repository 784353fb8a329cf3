"""Accounts of a landed day over real HTTP: who is asked for, what is kept, what is carried forward."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestration.hub.errors import HubUnavailable, ObservatoryError
from orchestration.landing import land_accounts, land_models
from orchestration.landing.accounts import to_look_up
from tests.hub.snapshots import DAY, NEXT_DAY
from tests.landing.landed import day_folder, read_day

NOW = datetime(2026, 10, 6, 12, tzinfo=UTC)


def accounts_of(settings, day) -> dict[str, dict]:
    return {row["namespace"]: row for row in read_day(settings, "accounts", day).to_pylist()}


def asked(hub) -> list[str]:
    return [path.split("/")[3] for _, path, _ in hub.requests if "/overview" in path]


def test_accounts_are_told_apart_and_persons_hold_nothing_else(hub, settings_for):
    settings = settings_for(hub)
    land_models(DAY, settings)
    landed = land_accounts(DAY, settings)
    assert (landed.rows, landed.manifest["looked_up"], landed.is_simulated) == (5, 5, True)
    known = accounts_of(settings, DAY)
    assert {name: row["account_type"] for name, row in known.items()} == {
        "org0": "organization",
        "org1": "organization",
        "org2": "person",
        "org3": "unknown",
        "org4": "unknown",
    }
    assert (known["org0"]["full_name"], known["org0"]["is_verified"], known["org0"]["followers"]) == (
        "Org Zero",
        True,
        12,
    )
    person = {name: value for name, value in known["org2"].items() if value is not None}
    assert set(person) == {"namespace", "account_type", "observed_at"}
    assert {row["observed_at"].date() for row in known.values()} == {DAY}


def test_the_budget_goes_to_the_most_downloaded_unknown_and_the_state_is_carried_forward(hub, settings_for):
    settings = settings_for(hub, account_lookups=2)
    land_models(DAY, settings)
    before = len(asked(hub))
    land_accounts(DAY, settings)
    # org4 holds models 4, 9, … 109, so it has most downloads; an account that is no organisation is asked for twice
    assert asked(hub)[before:] == ["org4", "org4", "org3", "org3"]
    hub.day = NEXT_DAY
    land_models(NEXT_DAY, settings)
    before = len(asked(hub))
    land_accounts(NEXT_DAY, settings)
    assert len(set(asked(hub)[before:])) == 2
    assert "org4" not in asked(hub)[before:]
    known = accounts_of(settings, NEXT_DAY)
    assert len(known) == 4
    assert known["org4"] == accounts_of(settings, DAY)["org4"]


def test_a_landed_day_is_not_asked_for_again(hub, settings_for):
    settings = settings_for(hub)
    land_models(DAY, settings)
    land_accounts(DAY, settings)
    requests = len(hub.requests)
    assert land_accounts(DAY, settings).already_landed
    assert len(hub.requests) == requests


def test_accounts_need_the_days_models(hub, settings_for):
    with pytest.raises(ObservatoryError, match=r"models of 2026-10-06 are not landed.*land the models"):
        land_accounts(DAY, settings_for(hub))


def test_a_failing_look_up_lands_nothing(hub, settings_for, client_of, misbehave):
    settings = settings_for(hub)
    land_models(DAY, settings)
    misbehave({"kind": "status", "status": 500, "route": "user", "times": None})
    with pytest.raises(HubUnavailable):
        land_accounts(DAY, settings, client=client_of(hub))
    assert not day_folder(settings, "accounts", DAY).exists()
    misbehave()
    assert land_accounts(DAY, settings).rows == 5


def test_no_budget_lands_the_state_as_it_was(hub, settings_for):
    settings = settings_for(hub, account_lookups=0)
    land_models(DAY, settings)
    assert land_accounts(DAY, settings).rows == 0


def test_unknown_accounts_come_first_then_those_observed_longest_ago():
    ages = {"week": 7, "old": 30, "fresh": 6, "older": 60}
    known = {name: {"observed_at": NOW - timedelta(days=days)} for name, days in ages.items()}
    ranked = ["fresh", "week", "new-big", "old", "older", "new-small"]
    assert to_look_up(ranked, known, NOW, 10) == ["new-big", "new-small", "older", "old", "week"]
    assert to_look_up(ranked, known, NOW, 3) == ["new-big", "new-small", "older"]
    assert to_look_up(ranked, known, NOW, 0) == []
