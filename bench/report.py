"""Renders the JSON lines of a run into docs/load-report.md: `python -m bench.report RUN.jsonl --section server`.

The section between its markers is replaced; the rest of the page is written by hand.
"""

import argparse
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil

from bench.results import TARGETS, Result
from bench.setting import ROOT

PAGE = ROOT / "docs" / "load-report.md"
COMMANDS = {"server": "make bench", "web": "make bench-web"}
"""The sections of the page, and what gives their lines."""


def markers(section: str) -> tuple[str, str]:
    """Return the lines that a section stands between."""
    name = "bench" if section == "server" else f"bench {section}"
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


def machine() -> str:
    """Return what the figures were measured on, without its name."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    memory = psutil.virtual_memory().total / 2**30
    kernel = platform.release().partition("-")[0]
    size = f"{psutil.cpu_count()} cores, {memory:.0f} GiB"
    return f"{model}, {size}, Linux {kernel}, Python {platform.python_version()}"


def commit() -> str:
    """Return the commit of the working tree, and whether files of it differ."""
    head = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    changed = subprocess.run(
        ["git", "status", "--porcelain", "src", "bench", "load", "web"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return head.stdout.strip() + (" with local changes" if changed.stdout.strip() else "")


def figure(number: float) -> str:
    """Return a number as people read it."""
    return f"{number:,.0f}" if abs(number) >= 1_000 else f"{number:g}"


def row(result: Result) -> str:
    """Return a result as a row of the table."""
    target = TARGETS.get(result.name)
    wanted = verdict = ""
    if target is not None:
        wanted = f"{target.field} {target.sense.replace('<=', '≤').replace('>=', '≥')} {target.bound:g}"
        verdict = "met" if target.met(result) else "**missed**"
    ratio = "" if result.ratio is None else figure(result.ratio)
    cells = (f"`{result.name}`", figure(result.value), result.unit, ratio, result.reference or "", wanted, verdict)
    return f"| {' | '.join(cells)} |"


def render(lines: str, section: str, measured_at: str) -> str:
    """Return the section: machine, commit, command, a table, and the raw lines."""
    results = [msgspec.json.decode(line, type=Result) for line in lines.splitlines() if line.startswith("{")]
    begin, end = markers(section)
    return "\n".join(
        (
            begin,
            "",
            f"- Machine: {machine()}",
            f"- Commit: {commit()}",
            f"- Command: `{COMMANDS[section]}`",
            f"- Measured: {measured_at}",
            "",
            "Ratio is Parlour / reference, both measured in this run.",
            "",
            "| figure | value | unit | ratio | reference | target | |",
            "| --- | ---: | --- | ---: | --- | --- | --- |",
            *(row(result) for result in results),
            "",
            "<details><summary>Raw output</summary>",
            "",
            "```json",
            *(msgspec.json.encode(result).decode() for result in results),
            "```",
            "",
            "</details>",
            "",
            end,
        )
    )


def write(run: str, section: str, measured_at: datetime) -> None:
    """Replace a section of the page by what the lines of `run` say.

    Raises:
        ValueError: the page lacks the section's markers.
    """
    page, (begin, end) = PAGE.read_text(), markers(section)
    before, opened, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (opened and closed):
        raise ValueError(f"{PAGE.relative_to(ROOT)} lacks the markers {begin} and {end}")
    PAGE.write_text(before + render(run, section, measured_at.strftime("%Y-%m-%d %H:%M UTC")) + after)


def main() -> int:
    """Replace a section of the page by a run that was kept."""
    parser = argparse.ArgumentParser(prog="python -m bench.report")
    parser.add_argument("run", type=Path, help="the standard output of the section's command")
    parser.add_argument("--section", choices=COMMANDS, default="server", help="(default: server)")
    options = parser.parse_args()
    try:
        write(options.run.read_text(), options.section, datetime.fromtimestamp(options.run.stat().st_mtime, UTC))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
