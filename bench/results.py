"""A figure of a bench, the target it has, and the verdict."""

import sys
from collections.abc import Sequence
from statistics import median
from typing import Literal

import msgspec


class Result(msgspec.Struct):
    """One line of output. `ratio` is value / the reference's value in the same unit and run."""

    name: str
    value: float
    unit: str
    reference: str | None = None
    ratio: float | None = None


class Target(msgspec.Struct, frozen=True):
    """A bound on one field of the result with the same name."""

    field: Literal["value", "ratio"]
    sense: Literal["<=", ">="]
    bound: float

    def met(self, result: Result) -> bool:
        """Tell whether `result` lies within the bound."""
        figure = result.value if self.field == "value" else result.ratio
        if figure is None:
            return False
        return figure <= self.bound if self.sense == "<=" else figure >= self.bound


SCALED = (("own", 2), ("own", 4), ("shared", 4))
"""Where people have grown with the nodes, and what a delivery costs must not have."""

TARGETS = {
    "fanout_1000_1": Target("ratio", "<=", 0.6),
    "fanout_1000_4": Target("ratio", "<=", 0.3),
    "fanout_1000_32": Target("ratio", "<=", 0.08),
    "fanout_1000_1_floor": Target("ratio", "<=", 1.3),
    "fanout_1000_whole": Target("ratio", "<=", 0.5),
    "rooms_50_p95": Target("value", "<=", 10.0),
    "rooms_50_p99": Target("value", "<=", 30.0),
    "rooms_50_lost": Target("value", "<=", 0),
    "rooms_50_doubled": Target("value", "<=", 0),
    "connect": Target("ratio", ">=", 1.0),
    "memory": Target("value", "<=", 16.0),
    "search_p95": Target("value", "<=", 50.0),
    "calls_1000_setup_p95": Target("value", "<=", 200.0),
    "calls_1000_lost": Target("value", "<=", 0),
    **{f"scaling_{kind}_{nodes}_cpu": Target("ratio", "<=", 1.15) for kind, nodes in SCALED},
    **{f"scaling_{kind}_{nodes}_bytes": Target("ratio", "<=", 1.05) for kind, nodes in SCALED},
    "rest": Target("ratio", ">=", 1.5),
    "web_first_javascript": Target("value", "<=", 180.0),
    "web_cold_load": Target("value", "<=", 1_500.0),
    "web_cold_load_login": Target("value", "<=", 1_500.0),
    "web_memory_growth": Target("value", "<=", 5.0),
    "web_memory_nodes_growth": Target("value", "<=", 5.0),
    "web_scroll_longest_task": Target("value", "<=", 50.0),
    "web_scroll_jump": Target("value", "<=", 1.0),
    "web_drag_longest_task": Target("value", "<=", 50.0),
    "web_events_50_frame_p95": Target("value", "<=", 17.5),
    "web_events_50_longest_task": Target("value", "<=", 50.0),
}


def compared(name: str, ours: Sequence[float], theirs: Sequence[float], unit: str, reference: str) -> Result:
    """Return the median of our repeats, beside the median of the reference's."""
    value, other = median(ours), median(theirs)
    return Result(name, value, unit, reference, value / other if other else None)


def emit(result: Result) -> Result:
    """Print a result as one JSON line on standard output, rounded to four digits."""
    rounded = msgspec.structs.replace(
        result,
        value=_four_digits(result.value),
        ratio=None if result.ratio is None else _four_digits(result.ratio),
    )
    print(msgspec.json.encode(rounded).decode(), flush=True)
    return rounded


def progress(text: str) -> None:
    """Print what is going on, on standard error."""
    print(text, file=sys.stderr, flush=True)


def verdict(result: Result) -> bool | None:
    """Print a result's verdict on standard error and return it; None where the result has no target."""
    target = TARGETS.get(result.name)
    if target is None:
        return None
    figure = result.value if target.field == "value" else result.ratio
    word = "meets" if target.met(result) else "MISSES"
    progress(
        f"{word:6} {result.name}: {target.field} {figure} {target.sense} {target.bound} ({result.value} {result.unit})"
    )
    return target.met(result)


def _four_digits(number: float) -> float:
    return float(f"{number:.4g}") if abs(number) < 1e4 else round(number)
