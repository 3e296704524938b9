"""Figures, targets and the page they end up on."""

import json

import pytest

from bench.report import render
from bench.results import TARGETS, Result, Target, compared, emit, verdict


def test_a_comparison_is_the_ratio_of_the_medians() -> None:
    assert compared("rest", [3.0, 1.0, 2.0], [4.0, 4.0, 100.0], "requests/s", "express").ratio == 0.5


def test_a_line_has_the_five_fields_and_four_digits(capsys: pytest.CaptureFixture[str]) -> None:
    emit(Result("rest", 1234.5678, "requests/s", "express", 1.23456))
    line = json.loads(capsys.readouterr().out)
    assert line == {"name": "rest", "value": 1235.0, "unit": "requests/s", "reference": "express", "ratio": 1.235}


@pytest.mark.parametrize(
    ("target", "value", "ratio", "met"),
    [
        (Target("value", "<=", 10), 10.0, None, True),
        (Target("value", "<=", 10), 10.1, 0.1, False),
        (Target("ratio", ">=", 1.5), 1.0, 1.5, True),
        (Target("ratio", ">=", 1.5), 9.0, 1.4, False),
        (Target("ratio", ">=", 1.5), 9.0, None, False),
    ],
)
def test_a_target_is_met_within_its_bound(target: Target, value: float, ratio: float | None, met: bool) -> None:
    assert target.met(Result("any", value, "ms", None, ratio)) is met


def test_a_figure_without_a_target_has_no_verdict() -> None:
    assert "login_storm_rate" not in TARGETS
    assert verdict(Result("login_storm_rate", 1.0, "logins/s")) is None


def test_the_page_shows_each_figure_its_target_and_the_raw_line() -> None:
    line = '{"name":"rest","value":2000,"unit":"requests/s","reference":"express","ratio":1.2}'
    page = render(line + "\nnot a figure\n", "server", "2026-01-01 00:00 UTC")
    assert "| `rest` | 2,000 | requests/s | 1.2 | express | ratio ≥ 1.5 | **missed** |" in page
    assert "- Command: `make bench`" in page
    assert '"value":2000' in page
    assert page.startswith("<!-- bench: begin -->")
    assert page.endswith("<!-- bench: end -->")
