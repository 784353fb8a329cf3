"""Colours and line styles by country, for whoever prepares rows of charts: the same country looks the same everywhere.
Nothing heavy is imported here; the themes and the kinds of charts are in `kinds`."""

from orchestration.publishing.site.naming import EU

# Okabe–Ito, two of its colours darkened, so that each has a contrast of 3:1 at least on both papers (2026-11-29).
LEADER_COLOURS = {"CN": "#D55E00", "US": "#0072B2"}
LEADER_TINTS = {"CN": "#F0B58A", "US": "#8CC1E3"}
EU_COLOUR = "#8A6BBE"
PALETTE = ("#00916A", "#C4689B", "#B97F00", "#3A8FC4", "#767676")
SPECIAL_COLOURS = {"XC": "#767676", "XI": "#8A8A8A", "XM": "#8A8A8A", "XX": "#8A8A8A"}
OTHER_COLOUR = "#767676"
# Line styles of what is no country, by the names that `kinds.style` gives them.
DASH_OF = {"XC": "long", "XI": "dots", "XM": "dots", "XX": "short"}


def line_colours(codes: list[str]) -> dict[str, str]:
    """A colour for each code that is drawn together with the others."""
    others = iter(PALETTE)
    fixed = LEADER_COLOURS | SPECIAL_COLOURS | {EU: EU_COLOUR}
    return {code: fixed.get(code) or next(others, PALETTE[-1]) for code in dict.fromkeys(codes)}


def leader_colour(code: str) -> str:
    """The colour of one of the two; of anybody else a grey."""
    return LEADER_COLOURS.get(code, OTHER_COLOUR)


def tint(code: str) -> str:
    """The pale form of a leader's colour, for the second of two bars."""
    return LEADER_TINTS.get(code, "#BDBDBD")


def dash_of(code: str) -> str:
    return DASH_OF.get(code, "solid")
