"""What a run of the faults found: kept as JSON, and of the long form written into docs/load-report.md."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any, NamedTuple

from bench.report import PAGE, commit, machine
from bench.setting import ROOT

FILE = ROOT / ".bench" / "faults.json"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"

BAR = 5.0
"""Seconds within which all are to be served again."""


class Outcome(NamedTuple):
    """How one fault ended: seconds from its end until all had a socket, until all who waited were acknowledged, until the office went on.

    `seconds` is all that it cost the run, `refused` how often the office was told to come again from its beginning on.
    """

    back: float
    served: float
    office: float
    seconds: float
    refused: int


def kinds(outcomes: Mapping[str, Sequence[Outcome]]) -> dict[str, dict[str, Any]]:
    """Return what there was of each fault, by name."""
    return {
        name: {
            "times": len(each),
            **{f"{what}_median_s": round(median(getattr(one, what) for one in each), 2) for what in ("back", "served")},
            **{f"{what}_worst_s": max(getattr(one, what) for one in each) for what in ("back", "served", "office")},
            "cost_s": round(sum(one.seconds for one in each), 1),
            "refused": sum(one.refused for one in each),
        }
        for name, each in sorted(outcomes.items())
        if each
    }


def too_slow(outcomes: Mapping[str, Sequence[Outcome]], bar: float = BAR) -> list[str]:
    """Name the faults after which not all were back and served within the bar."""
    return [name for name, kind in kinds(outcomes).items() if max(kind["back_worst_s"], kind["served_worst_s"]) > bar]


def keep(totals: Mapping[str, Any], outcomes: Mapping[str, Sequence[Outcome]]) -> dict[str, Any]:
    """Write everything down as JSON, print and return it."""
    summary = {
        **totals,
        "faults": sum(map(len, outcomes.values())),
        f"over_{BAR:.0f}_s": too_slow(outcomes),
        "kinds": kinds(outcomes),
    }
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(summary, indent=1))
    print(json.dumps(summary), flush=True)
    return summary


def write(summary: Mapping[str, Any]) -> None:
    """Replace the section of the page by this run, whatever it found.

    Raises:
        ValueError: the page lacks the section's markers.
    """
    page = PAGE.read_text()
    before, opened, rest = page.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not (opened and closed):
        raise ValueError(f"{PAGE} lacks the markers {BEGIN} and {END}")
    PAGE.write_text(before + "\n".join([BEGIN, "", *rendered(summary, _where()), "", END]) + after)


def rendered(summary: Mapping[str, Any], where: str) -> list[str]:
    """Return the lines of the section."""
    slow = summary[f"over_{BAR:.0f}_s"]
    wrong = summary["wrong"]
    in_time = f"not after {', '.join(slow)}" if slow else "after each"
    return [
        f"`make faults` {where}:",
        "",
        "| | |",
        "| --- | --- |",
        f"| faults, messages, minutes | {summary['faults']}, {summary['messages']:,}, {summary['minutes']} |",
        f"| clients, connections of theirs, messages heard live | {summary['users']}, {summary['connections']:,}, {summary['live']:,} |",
        f"| lost, doubled (in the log or live), out of order, acknowledged elsewhere than stored, told falsely | {wrong} |",
        f"| everybody back and acknowledged within {BAR:.0f} s after the fault's end | {in_time} |",
        f"| by HTTP meanwhile: logins with a change of membership, a message found, and all ended again | {summary['office']['rounds']} |",
        f"| engines that had to be started again, which ends a fault | {_counted(summary['started_again'])} |",
        f"| told to clients while it lasted | {_counted(summary['problems'])} |",
        "",
        "Seconds after the end of a fault, the worst of each kind: until all had a socket, until all who waited had an acknowledgement,"
        " until everybody who came by HTTP had gone once through all they do. Refused: how often those were told to come again.",
        "",
        "| fault | times | back | acknowledged | by HTTP | refused |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {name} | {kind['times']} | {kind['back_worst_s']:.1f} | {kind['served_worst_s']:.1f} | {kind['office_worst_s']:.1f} "
            f"| {kind['refused']} |"
            for name, kind in summary["kinds"].items()
        ),
    ]


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


def _where() -> str:
    return f"of {commit()} at {datetime.now(UTC).strftime('%Y-%m-%d %H:%M UTC')} on {machine()}"
