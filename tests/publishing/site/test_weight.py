"""What `make bench` tells of the report's pages can be told: each kind of page is opened, weighed and timed. The weight is
held to its aim here; times are the benchmark's alone."""

from benchmarks.reading import AIM_BYTES, measure, table

from .browser import NEEDS_CHROMIUM

pytestmark = NEEDS_CHROMIUM


def test_every_kind_of_page_is_opened_and_weighed_with_all_that_it_loads(site):
    told = measure(site, repeats=1)
    weights = {row["page"].split("/")[0]: row["bytes"] for row in told["pages"]}
    assert set(weights) == {
        "index.html", "countries", "organizations", "countries.html", "organizations.html", "quality.html",
        "corrections.html", "dictionary.html",
    }  # fmt: skip
    library = (site / "assets" / "charts.js").stat().st_size
    assert library + (site / "index.html").stat().st_size < weights["index.html"] < AIM_BYTES
    assert weights["quality.html"] < library  # a page without charts doesn't load their library
    assert "| `index.html` |" in table(told)
