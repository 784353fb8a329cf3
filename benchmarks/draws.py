"""Random draws that are a pure function of seed, name and row, so that any row can be drawn anywhere, in any process.
What is made of the draws is for the modules that make rows."""

import hashlib
from dataclasses import dataclass

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1, MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True)
class Draws:
    """Draws of one seed. Each `name` is a stream of its own; `rows` are integers ≥ 0, of any shape."""

    seed: int

    def bits(self, name: str, rows: np.ndarray) -> np.ndarray:
        """64 random bits a row (uint64), by the mixing function of splitmix64."""
        start = hashlib.blake2b(f"{self.seed}/{name}".encode(), digest_size=8).digest()
        mixed = rows.astype(np.uint64)
        mixed *= GOLDEN
        mixed += np.uint64(int.from_bytes(start))
        for shift, factor in ((30, MIX_1), (27, MIX_2)):
            mixed ^= mixed >> np.uint64(shift)
            mixed *= factor
        mixed ^= mixed >> np.uint64(31)
        return mixed

    def unit(self, name: str, rows: np.ndarray) -> np.ndarray:
        """A float in [0, 1) a row."""
        return (self.bits(name, rows) >> np.uint64(11)) * 2.0**-53

    def below(self, name: str, rows: np.ndarray, bound: int, *, tail: float = 1.0) -> np.ndarray:
        """An integer in [0, bound) a row: uniform with a `tail` of 1, the smaller the likelier with more of it.

        The chance of k falls as k ** (1 / tail - 1), which is how names on the Hub are spread.
        """
        return (bound * self.unit(name, rows) ** tail).astype(np.int64)

    def normal(self, name: str, rows: np.ndarray) -> np.ndarray:
        """A standard normal float a row (Box and Muller's way)."""
        radius = np.sqrt(-2 * np.log1p(-self.unit(f"{name}/radius", rows)))
        return radius * np.cos(2 * np.pi * self.unit(f"{name}/angle", rows))

    def chosen(self, name: str, count: int, among: int) -> np.ndarray:
        """`count` rows of `among`, in order, each from a stretch of its own, so that they are spread over all of it."""
        stretches = np.arange(count)
        starts = stretches * among // count
        lengths = (stretches + 1) * among // count - starts
        return starts + (lengths * self.unit(name, stretches)).astype(np.int64)
