"""An alert is one line in alerts.jsonl and one message a target, however often it comes up; it waits until it was taken,
no address stands anywhere, and no target is flooded."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from orchestration.defs.alerts.channels import (
    MESSAGES_PER_HOUR,
    NOT_UNDERSTOOD,
    alerts_path,
    announce,
    append_line,
    deliveries_path,
    read_lines,
    send_pending,
    targets_of,
)
from orchestration.defs.alerts.messages import Alert
from orchestration.defs.alerts.redaction import Redaction

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
ALERT = Alert(
    alert_id="one",
    event="raised",
    incident="check:raw:hub_models:downloads_are_never_negative",
    incidents=["check:raw:hub_models:downloads_are_never_negative"],
    raised_at=NOW.isoformat(),
    severity="blocks",
    title="blocks · 2026-11-24 · hub_models: downloads are never negative",
    body="Found: 40",
    snapshot_date="2026-11-24",
    snapshot_dates=["2026-11-24"],
    step="raw",
    table_name="hub_models",
    check_name="downloads_are_never_negative",
    run_id="run-1",
    owner="team:data",
)
NOWHERE = "json://user:s3cr3t-word@127.0.0.1:9/tok3n-in-path"


def alerts(number: int, **changes) -> list[Alert]:
    return [replace(ALERT, alert_id=f"a{n}", title=f"title {n}", **changes) for n in range(number)]


def notifying(settings, *urls: str, **named: str):
    values = {"notify_urls": " ".join(urls), **named}
    return settings.model_copy(update={name: SecretStr(value) for name, value in values.items()})


def deliveries(settings) -> list[tuple[str, bool, int]]:
    return [(line["alert_id"], line["ok"], line["attempt"]) for line in read_lines(deliveries_path(settings))]


def test_without_targets_the_line_is_all(settings):
    assert announce(settings, ALERT)
    assert not announce(settings, ALERT)
    assert send_pending(settings, NOW) == 0

    assert read_lines(alerts_path(settings)) == [ALERT.plain()]
    assert not deliveries_path(settings).exists()


@pytest.mark.parametrize(
    ("event", "severity", "kind"),
    [
        ("raised", "blocks", "failure"),
        ("repeated", "investigate", "warning"),
        ("raised", "domain", "info"),
        ("resolved", "blocks", "success"),
    ],
)
def test_a_target_gets_title_and_body_once(settings, target, event, severity, kind):
    settings = notifying(settings, target.url)

    for _ in range(3):
        announce(settings, replace(ALERT, event=event, severity=severity))
        assert send_pending(settings, NOW) == 0

    assert [(m["title"], m["message"], m["type"]) for m in target.messages] == [(ALERT.title, ALERT.body, kind)]
    assert len(read_lines(alerts_path(settings))) == 1
    assert deliveries(settings) == [("one", True, 1)]


def test_what_a_target_refuses_waits_and_is_sent_when_it_is_back(settings, target):
    settings = notifying(settings, target.url)
    announce(settings, ALERT)
    target.status = 503
    assert send_pending(settings, NOW) == 1
    assert send_pending(settings, NOW + timedelta(seconds=30)) == 1
    target.status, target.messages[:] = 200, []

    # the third try comes a tick later than the one before, not at once
    assert send_pending(settings, NOW + timedelta(seconds=31)) == 1
    assert send_pending(settings, NOW + timedelta(seconds=60)) == 0

    assert target.titles == [ALERT.title]
    assert deliveries(settings) == [("one", False, 1), ("one", False, 2), ("one", True, 3)]
    assert read_lines(deliveries_path(settings))[0]["why"] == "the target could not be reached, or refused"
    assert len(read_lines(alerts_path(settings))) == 1


def test_a_target_that_stays_down_is_asked_ever_more_rarely_and_never_given_up(settings):
    settings = notifying(settings, NOWHERE)
    announce(settings, ALERT)
    for tick in range(2 * 120):
        assert send_pending(settings, NOW + timedelta(seconds=30 * tick)) == 1

    # two hours of ticks: soon at first, at the end every quarter of an hour
    assert 8 <= len(deliveries(settings)) <= 16


def test_while_one_target_is_down_the_other_hears_of_it_once(settings, target):
    settings = notifying(settings, NOWHERE, target.url)
    announce(settings, ALERT)

    for tick in range(3):
        assert send_pending(settings, NOW + timedelta(minutes=tick)) == 1

    assert target.titles == [ALERT.title]
    assert len(read_lines(alerts_path(settings))) == 1


def test_an_address_that_means_nothing_is_recorded_and_stops_no_other(settings, target, capfd, caplog):
    settings = notifying(settings, "nonsense://s3cr3t-word", target.url)
    announce(settings, ALERT)

    assert send_pending(settings, NOW) == 1

    refused, taken = read_lines(deliveries_path(settings))
    assert (refused["ok"], refused["why"]) == (False, NOT_UNDERSTOOD)
    assert refused["place"] == "OBSERVATORY_NOTIFY_URLS, address 1 of 2"
    assert taken["ok"]
    assert target.titles == [ALERT.title]
    # An address may hold a password, and this sentence ends in a log.
    written = [path.read_text() for path in settings.home.rglob("*") if path.is_file()]
    assert not any("s3cr3t" in text for text in [*written, *capfd.readouterr(), caplog.text, repr(settings)])


def test_a_corrected_address_gets_what_the_wrong_one_did_not(settings, target):
    announce(notifying(settings, "nonsense"), ALERT)
    assert send_pending(notifying(settings, "nonsense"), NOW) == 1

    assert send_pending(notifying(settings, target.url), NOW + timedelta(minutes=1)) == 0

    assert target.titles == [ALERT.title]


def test_each_severity_has_its_own_targets_or_the_general_ones(settings):
    settings = notifying(settings, "json://general", notify_urls_blocks="json://a json://b json://a")

    assert [target.url for target in targets_of(settings, "blocks")] == ["json://a", "json://b"]
    assert [target.url for target in targets_of(settings, "investigate")] == ["json://general"]
    assert [target.url for target in targets_of(settings, "domain")] == ["json://general"]
    assert "general" not in repr(targets_of(settings, "domain"))


def test_a_storm_is_ten_messages_of_which_the_last_says_what_is_folded_into_it(settings, target):
    settings = notifying(settings, target.url)
    for alert in [*alerts(46, severity="investigate"), replace(ALERT, title="what blocks")]:
        announce(settings, alert)

    assert send_pending(settings, NOW) == 0

    assert len(target.messages) == MESSAGES_PER_HOUR == 10
    assert target.titles[0] == "what blocks"
    assert target.titles[-1] == "38 more: 38 investigate"
    assert "at most 10 messages an hour" in target.messages[-1]["message"]
    assert target.messages[-1]["message"].splitlines()[-1] == "- and 18 more"
    assert len(read_lines(alerts_path(settings))) == len(deliveries(settings)) == 47


def test_what_comes_after_a_storm_waits_until_there_is_room_in_the_hour(settings, target):
    settings = notifying(settings, target.url)
    for number, alert in enumerate(alerts(12)):
        announce(settings, alert)
        send_pending(settings, NOW + timedelta(minutes=number))
    assert target.titles == [f"title {n}" for n in range(10)]

    # the first message is an hour old: one may be sent, and holds both that waited
    assert send_pending(settings, NOW + timedelta(minutes=60, seconds=30)) == 0
    assert target.titles[10:] == ["2 more: 2 blocks"]


def test_half_a_line_of_a_crash_spoils_no_other(settings):
    path = alerts_path(settings)
    append_line(path, {"alert_id": "whole"})
    with path.open("a") as file:
        file.write('{"alert_id": "cut o')
    append_line(path, {"alert_id": "next"})

    assert [line["alert_id"] for line in read_lines(path)] == ["whole", "next"]


def test_secrets_of_the_settings_are_taken_out_of_a_text_and_nothing_else(settings):
    settings = notifying(settings, NOWHERE, "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ").model_copy(
        update={"heartbeat_url": SecretStr("https://hc.example.org/ping/0123-4567"), "hf_token": SecretStr("hf_secret")}
    )
    said = json.dumps([NOWHERE, "s3cr3t-word", "tok3n-in-path", "T1JJ3T3L2", "TIiajkdnlazkcOXrIdevi7FQ", "hf_secret"])
    hidden = Redaction(settings)(f"{said} https://hc.example.org/ping/0123-4567 127.0.0.1 example user")

    assert hidden == '["•••", "•••", "•••", "•••", "•••", "•••"] ••• 127.0.0.1 example user'
