"""What a run found is told as it was: what was wrong, and what took too long."""

from .report import Outcome, kinds, rendered, too_slow

IN_TIME = Outcome(back=0.1, served=5.0, office=9.0, seconds=7.0, refused=2)
TOTALS = {
    "faults": 3,
    "messages": 100_000,
    "minutes": 29.5,
    "users": 200,
    "connections": 5_000,
    "live": 2_500_000,
    "wrong": 0,
    "office": {"rounds": 300},
    "started_again": {"kafka": 5},
    "problems": {"broker_unavailable": 12},
}


def test_worst_and_sum_of_a_kind() -> None:
    kind = kinds({"b killed": [IN_TIME, IN_TIME._replace(back=0.3, served=0.5, refused=1)]})["b killed"]
    assert (kind["times"], kind["back_worst_s"], kind["served_worst_s"], kind["office_worst_s"]) == (2, 0.3, 5.0, 9.0)
    assert (kind["served_median_s"], kind["cost_s"], kind["refused"]) == (2.75, 14.0, 3)


def test_too_slow_is_who_is_back_or_served_past_the_bar_once() -> None:
    late = IN_TIME._replace(served=5.01)
    away = IN_TIME._replace(back=5.01)
    assert too_slow({"a": [IN_TIME], "b": [IN_TIME, late], "c": [away, IN_TIME]}) == ["b", "c"]


def test_the_section_says_what_missed_the_bar_and_what_was_wrong() -> None:
    outcomes = {"kafka killed": [IN_TIME, IN_TIME._replace(served=6.04)], "nginx killed": [IN_TIME]}
    summary = {**TOTALS, "wrong": 2, "kinds": kinds(outcomes), "over_5_s": too_slow(outcomes)}
    lines = rendered(summary, "of here")
    assert "`make faults` of here:" in lines
    assert any(line.startswith("| lost, doubled") and line.endswith("| 2 |") for line in lines)
    assert any(line.endswith("| not after kafka killed |") for line in lines)
    assert "| kafka killed | 2 | 0.1 | 6.0 | 9.0 | 4 |" in lines
