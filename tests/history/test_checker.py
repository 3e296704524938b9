"""The checker finds each violation that it is there for, in histories made by hand."""

from typing import Any

import pytest

from .checker import Acked, Entry, History, Live, Sent, violations

LOG = [
    Entry("r", 1, "e1", "ann", "j1", None),
    Entry("r", 2, "e2", "ann", "a1", "one"),
    Entry("r", 3, "e3", "ben", "b1", "two"),
    Entry("r", 4, "e4", "ann", "a2", "three"),
]
ANN = History(
    "ann",
    sent=[Sent("r", "a1", "one"), Sent("r", "a2", "three")],
    acked=[Acked("r", "a1", "e2", 2), Acked("r", "a2", "e4", 4)],
    applied=LOG,
    live=[Live(1, "r", 2), Live(1, "r", 3), Live(2, "r", 4)],
)
BEN = History("ben", sent=[Sent("r", "b1", "two")], acked=[Acked("r", "b1", "e3", 3)], applied=LOG)


def without(place: int) -> list[Entry]:
    return [entry for number, entry in enumerate(LOG) if number != place]


def test_a_good_history_has_no_violation() -> None:
    assert violations(LOG, [ANN, BEN]) == []


def test_a_client_that_is_behind_is_no_violation_before_it_settled() -> None:
    behind = BEN._replace(applied=LOG[:2], acked=[])
    assert violations(LOG, [ANN, behind], settled=False) == []
    assert violations(LOG, [ANN, behind]) == [
        "ben: b1 was never acknowledged",
        "ben: missed 2 events at the end of r",
    ]


@pytest.mark.parametrize(
    ("log", "ann", "said"),
    [
        pytest.param(without(3), {}, "ann: a2 was acknowledged and is lost", id="lost"),
        pytest.param(without(2), {}, "log of r: seq is not dense: 4 at place 3", id="hole"),
        pytest.param(
            [*LOG, Entry("r", 5, "e5", "ann", "a2", "three")], {}, "log of r: a2 of ann is there 2 times", id="resend-doubled"
        ),
        pytest.param([*LOG, Entry("r", 5, "e4", "ann", "a9", None)], {}, "log of r: the id e4 is there 2 times", id="id-twice"),
        pytest.param(LOG, {"acked": [Acked("r", "a2", "e4", 3)]}, "ann: a2 was acknowledged as 3 e4 and is 4 e4", id="other-place"),
        pytest.param(LOG, {"sent": [Sent("r", "a1", "eins"), ANN.sent[1]]}, "ann: a1 has another text in the log", id="other-text"),
        pytest.param(LOG, {"sent": ANN.sent[::-1]}, "ann: a1 stands before what was sent before it", id="reordered-sends"),
        pytest.param(LOG, {"applied": [LOG[0], LOG[2], LOG[1], LOG[3]]}, "ann: saw 3 e3 in r where the log has 2 e2", id="reordered-reads"),
        pytest.param(LOG, {"applied": [*LOG[:2], *LOG[1:]]}, "ann: saw 2 e2 in r where the log has 3 e3", id="applied-twice"),
        pytest.param(LOG, {"applied": [*LOG, Entry("r", 5, "e5", "x", "x", "?")]}, "ann: saw 5 events in r, the log has 4", id="ghost"),
        pytest.param(LOG, {"applied": LOG[:3]}, "ann: missed 1 events at the end of r", id="missed"),
        pytest.param(LOG, {"live": [Live(1, "r", 2), Live(1, "r", 2)]}, "ann: 2 of r arrived twice on connection 1", id="live-twice"),
        pytest.param(LOG, {"live": [Live(1, "r", 2), Live(1, "r", 4)]}, "ann: 4 of r followed 2 on connection 1", id="live-hole"),
        pytest.param([*LOG, Entry("r", 5, "e5", "eve", "x1", "!")], {}, "log of r: x1 was sent by nobody", id="forged"),
    ],
)  # fmt: skip
def test_each_violation_is_found(log: list[Entry], ann: dict[str, Any], said: str) -> None:
    assert said in violations(log, [ANN._replace(**ann), BEN])
