"""An alert is one line in alerts.jsonl and one message, however often it is raised, and it stays due until it was taken."""

import json

import pytest

from orchestration.defs.alerts.channels import Alert, AlertNotDelivered, alerts_path, deliver

ALERT = Alert(
    alert_id="run-1-failure",
    raised_at="2026-11-24T12:30:00+00:00",
    severity="error",
    title="Snapshot 2026-11-24: the run failed",
    body="raw gate: downloads are never negative",
    run_id="run-1",
    snapshot_dates=["2026-11-24"],
)


def lines(settings) -> list[dict]:
    return [json.loads(line) for line in alerts_path(settings).read_text().splitlines()]


def test_without_targets_the_line_is_all(settings):
    deliver(settings, ALERT)
    deliver(settings, ALERT)

    assert [line["alert_id"] for line in lines(settings)] == ["run-1-failure"]
    assert lines(settings)[0]["body"] == ALERT.body


def test_a_target_gets_title_and_body(settings, target):
    settings = settings.model_copy(update={"notify_urls": f"json://127.0.0.1:{target.server_port}/"})

    deliver(settings, ALERT)

    assert [(message["title"], message["message"]) for message in target.messages] == [(ALERT.title, ALERT.body)]
    assert target.messages[0]["type"] == "failure"
    assert len(lines(settings)) == 1


def test_a_refusing_target_keeps_the_alert_due_without_a_second_line(settings, target):
    settings = settings.model_copy(update={"notify_urls": f"json://127.0.0.1:{target.server_port}/"})
    target.status = 503
    with pytest.raises(AlertNotDelivered, match=r"tried again at the next tick"):
        deliver(settings, ALERT)
    target.status = 200

    deliver(settings, ALERT)

    assert len(target.messages) == 2
    assert len(lines(settings)) == 1


def test_an_address_that_means_nothing_is_named(settings):
    settings = settings.model_copy(update={"notify_urls": "json://127.0.0.1:9/ nonsense"})

    with pytest.raises(AlertNotDelivered, match=r"does not understand address 2 of 2") as error:
        deliver(settings, ALERT)
    # An address may hold a password, and this sentence ends in a log.
    assert "nonsense" not in str(error.value)
    assert "Expected addresses as Apprise documents them, separated by spaces" in str(error.value)
    assert len(lines(settings)) == 1


def test_while_one_target_is_down_the_other_hears_of_it_once(settings, target):
    both = f"json://127.0.0.1:{target.server_port}/ json://127.0.0.1:9/"
    settings = settings.model_copy(update={"notify_urls": both})

    for _ in range(3):
        with pytest.raises(AlertNotDelivered, match=r"target 2 of 2"):
            deliver(settings, ALERT)

    assert len(target.messages) == 1
    assert len(lines(settings)) == 1
