"""How downloads are spread over a made-up Hub's models, as functions of a model's place among them, and how they come in
day by day. The reference figures that they are set to stand here; which model has which place is for `big_hub`."""

import numpy as np

# The Hub as reported (dates beside each): what `closeness` compares with, too.
REFERENCE_MODELS = 3_000_000
MEAN_MONTH, MEAN_ALL_TIME = 812, 21_641  # downloads a model, 2025-10-23
ACTIVE_SHARE, EVER_SHARE = 0.355, 0.597  # with 30-day and with all-time downloads, 2025-10-23
HEAD_SHARE, HEAD_PART = 0.015, 0.992  # so many repositories hold such a part of downloads, 2026-08
TOP, TOP_PART = 200, 0.496  # and the largest 200 of about 3 M, 2026-03
HALF_ALL_TIME = 200  # about half of all models have fewer, 2026-03

# Of the head, the k-th model has (k + FLATTENED) ** -STEEPNESS: the first gives the 200 their part of it.
STEEPNESS, FLATTENED = 1.2, 17.5
# From the head's end, some 2,800 a month, the reported shares leave hardly a slope: what follows has 7 a month on average.
FALL = 0.0004
LEAST_MONTH = 2.0
# All-time downloads of what is neither in the head nor below `HALF_ALL_TIME`, above it: on average half of this.
WITHIN = 170.0

WEEKDAYS = np.array([1.08, 1.08, 1.08, 1.08, 1.08, 0.8, 0.8])  # less is downloaded on Saturdays and Sundays
RUSH_DAYS, STEADY = 20.0, 0.35  # of a new model: the rush of its first weeks, then about a third


def _head(until: np.ndarray) -> np.ndarray:
    """The sum over the head's first `until` models (of 3 M), as if there were one at each point, but for a factor."""
    power = 1 - STEEPNESS
    return ((until + FLATTENED) ** power - FLATTENED**power) / power


HEAD_MODELS = HEAD_SHARE * REFERENCE_MODELS
HEAD_MONTH = MEAN_MONTH * HEAD_PART * REFERENCE_MODELS  # downloads of the whole head
HEAD_END = HEAD_MONTH / _head(np.array(HEAD_MODELS)) * (HEAD_MODELS + FLATTENED) ** -STEEPNESS
ALL_TIME_A_MONTH = MEAN_ALL_TIME / MEAN_MONTH
# What is left for the active models beyond the head, evenly from most to least.
_REST = MEAN_MONTH * (1 - HEAD_PART) - HEAD_END * FALL
MOST_MONTH = 2 * _REST / (ACTIVE_SHARE - HEAD_SHARE) - LEAST_MONTH


def month(places: np.ndarray, models: int) -> np.ndarray:
    """30-day downloads of the models at `places` (0 is the largest) of a Hub of `models`, before any trend.

    A small Hub's largest model stands for several of the large one, so that the head holds the same part of downloads.
    """
    scale = REFERENCE_MODELS / models
    share = (places + 0.5) / models
    within = np.minimum(places * scale, HEAD_MODELS)
    until = np.minimum((places + 1) * scale, HEAD_MODELS)
    head = HEAD_MONTH / _head(np.array(HEAD_MODELS)) * (_head(until) - _head(within)) / scale
    fallen = HEAD_END * np.exp(-np.maximum(share - HEAD_SHARE, 0) / FALL)
    left = (ACTIVE_SHARE - share) / (ACTIVE_SHARE - HEAD_SHARE)
    rest = np.where(share < ACTIVE_SHARE, fallen + LEAST_MONTH + (MOST_MONTH - LEAST_MONTH) * left, 0)
    return np.where(share < HEAD_SHARE, head, rest)


def all_time(places: np.ndarray, models: int, noise: np.ndarray) -> np.ndarray:
    """All-time downloads that go with them. `noise` is a standard normal float a model, for the head alone."""
    share = (places + 0.5) / models
    months = month(places, models)
    head = months * ALL_TIME_A_MONTH * np.exp(0.5 * noise - 0.125)
    usual = HALF_ALL_TIME + 2 * WITHIN * (0.5 - share) / (0.5 - HEAD_SHARE)
    fallen = ALL_TIME_A_MONTH * np.maximum(months - MOST_MONTH, 0)
    few = 1 + (HALF_ALL_TIME - 2) * (EVER_SHARE - share) / (EVER_SHARE - 0.5)
    return np.select([share < HEAD_SHARE, share < 0.5, share < EVER_SHARE], [head, usual + fallen, few], 0.0)


def season(day: int, weekday_of_first: int) -> float:
    """How much of a usual day's downloads come in on a day counted from the first (0); its sum over a week is 7."""
    return float(WEEKDAYS[(weekday_of_first + day) % 7])


def usual_days(day: int, weekday_of_first: int) -> float:
    """How many usual days' downloads came in from the first day (0) to the end of `day`; negative before it."""
    weeks, rest = divmod(day, 7)
    return 7.0 * weeks + sum(season(number, weekday_of_first) for number in range(1, rest + 1))


def since_release(age: np.ndarray) -> np.ndarray:
    """How many usual days' downloads a new model has after `age` usual days; it begins with one a day."""
    age = np.maximum(age, 0)
    return STEADY * age + (1 - STEADY) * RUSH_DAYS * -np.expm1(-age / RUSH_DAYS)
