"""The feed: that it is Atom, that its ids and times are the data's, and that versions that are gone stay told."""

import re
from xml.etree import ElementTree

import pytest

from orchestration.publishing import PublishRefused
from orchestration.publishing.site.pages.feed import entries_of

ATOM = "{http://www.w3.org/2005/Atom}"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
TAG = re.compile(r"tag:[a-z0-9.-]+,\d{4}(-\d\d(-\d\d)?)?:[A-Za-z0-9._:-]+")


@pytest.fixture(scope="module")
def feed(strangers):
    return ElementTree.fromstring(strangers.text("feed.xml"))


def told(feed) -> dict[str, ElementTree.Element]:
    return {entry.findtext(f"{ATOM}id").split(":", 2)[2]: entry for entry in feed.findall(f"{ATOM}entry")}


def test_it_has_what_atom_asks_of_a_feed(feed):
    assert feed.tag == f"{ATOM}feed"
    for name in ("id", "title", "updated"):
        assert len(feed.findall(f"{ATOM}{name}")) == 1
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    assert {link.get("rel") for link in feed.findall(f"{ATOM}link")} == {"self", "alternate"}
    assert MOMENT.fullmatch(feed.findtext(f"{ATOM}updated"))
    assert TAG.fullmatch(feed.findtext(f"{ATOM}id"))


def test_it_has_what_atom_asks_of_every_entry(feed, strangers):
    entries = feed.findall(f"{ATOM}entry")
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == len(entries) == 4
    for entry in entries:
        assert TAG.fullmatch(entry.findtext(f"{ATOM}id"))
        assert entry.findtext(f"{ATOM}title").startswith("SIMULATED: ")
        assert MOMENT.fullmatch(entry.findtext(f"{ATOM}updated"))
        assert entry.findtext(f"{ATOM}summary")
        (link,) = entry.findall(f"{ATOM}link")
        assert (strangers.folder / link.get("href")).is_file()


def test_entries_are_newest_first_and_the_feed_is_as_new_as_the_first(feed):
    times = [entry.findtext(f"{ATOM}updated") for entry in feed.findall(f"{ATOM}entry")]
    assert times == sorted(times, reverse=True)
    assert feed.findtext(f"{ATOM}updated") == times[0]


def test_the_version_itself_is_told_with_the_time_of_its_last_capture_and_what_it_restates(feed, strangers):
    entry = told(feed)["version:v2"]
    ((captured,),) = strangers.rows("select max(captured_at) from marts.dim_snapshots")
    assert entry.findtext(f"{ATOM}updated") == captured.strftime("%Y-%m-%dT%H:%M:%SZ")
    summary = entry.findtext(f"{ATOM}summary")
    assert "It restates 3 values of 1 earlier days: attribution: Org (US → FR); late day" in summary
    ((share,),) = strangers.rows(
        "select share from marts.mart_daily_country_share where country_code = 'CN' and metric = 'new_trailing_30d' "
        "and attribution = 'uploader' and denominator = 'all' and snapshot_date = ?",
        strangers.contents.last_day,
    )
    assert f"China {share:.1%}" in summary


def test_a_version_that_was_published_before_there_was_a_feed_is_told_from_its_manifest(feed):
    assert "version:v1" in told(feed)


def test_crossovers_are_told_on_the_day_that_they_were_confirmed(feed, strangers):
    day = strangers.contents.first_day.isoformat()
    entry = told(feed)[f"simulated:crossover:new_trailing_30d:30:uploader:CN:US:{day}"]
    assert entry.findtext(f"{ATOM}title") == (
        f"SIMULATED: China passed United States on {day} (the Hub's last 30 days, by uploader)"
    )
    assert entry.findtext(f"{ATOM}updated") == f"{strangers.contents.last_day.isoformat()}T00:00:00Z"
    assert entry.find(f"{ATOM}link").get("href") == "countries/CN.html"


def test_what_a_feed_told_of_versions_is_read_again(strangers):
    assert {entry.id.rsplit(":", 1)[-1] for entry in entries_of(strangers.folder / "feed.xml")} == {"v1", "v2"}


WITHOUT_A_LINK = (
    "<feed xmlns='http://www.w3.org/2005/Atom'><entry>"
    "<id>tag:open-model-observatory.invalid,2026:version:x</id></entry></feed>"
)


@pytest.mark.parametrize("text", ["", "<feed", WITHOUT_A_LINK])
def test_a_damaged_feed_of_an_earlier_version_is_refused_by_its_name(tmp_path, text):
    path = tmp_path / "v7" / "report" / "feed.xml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(PublishRefused, match="v7"):
        entries_of(path)
