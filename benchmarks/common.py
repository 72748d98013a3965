"""What both benchmarks share: packages that may be absent, and targets with their verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec


class Packaged:
    """Something that needs a package."""

    name: str  # of the row in the tables
    package: str  # what is imported
    distribution: str  # what pip installs

    @classmethod
    def installed(cls) -> bool:
        """Whether the package can be imported."""
        return find_spec(cls.package) is not None

    @classmethod
    def version(cls) -> str:
        """The version installed."""
        try:
            return version(cls.distribution)
        except PackageNotFoundError:  # found on the path, not installed
            return "source tree"


@dataclass(frozen=True)
class Target:
    """Something to reach: a bound from below or, where `at_most`, from above."""

    what: str
    bound: float
    reached: float | None
    unit: str = ""
    at_most: bool = False

    @property
    def verdict(self) -> str:
        """Met, or by how much not."""
        if self.reached is None:
            return "not measured"
        short = self.reached / self.bound if self.at_most else self.bound / self.reached
        return "met" if short <= 1.0 else f"falls short by a factor of {short:.2f}"

    def cells(self) -> list[str]:
        """What, bound, reached, verdict."""
        reached = "-" if self.reached is None else f"{self.reached:.3g}{self.unit}"
        return [self.what, f"{'at most' if self.at_most else 'at least'} {self.bound:g}{self.unit}", reached, self.verdict]
