"""The checker finds each violation that it is there for, in histories made by hand."""

from typing import Any

import pytest

from .checker import Acked, Entry, Held, History, Live, Sent, Shown, Skipped, violations

LOG = [
    Entry("r", 1, "e1", "ann", "j1", None, "room.updated"),
    Entry("r", 2, "e2", "ann", "a1", "one"),
    Entry("r", 3, "e3", "ben", "b1", "two"),
    Entry("r", 4, "e4", "ann", "a2", "three"),
]
SHOWN = [
    Shown("r", "e2", 2, "one", False, False),
    Shown("r", "e3", 3, "two", False, False),
    Shown("r", "e4", 4, "three", False, False),
]
ANN = History(
    "ann",
    sent=[Sent("r", "a1", "one"), Sent("r", "a2", "three")],
    acked=[Acked("r", "a1", "e2", 2), Acked("r", "a2", "e4", 4)],
    applied=LOG,
    live=[Live(1, "r", 2), Live(1, "r", 3), Live(2, "r", 4)],
    shown=SHOWN,
)
BEN = History("ben", sent=[Sent("r", "b1", "two")], acked=[Acked("r", "b1", "e3", 3)], applied=LOG, shown=SHOWN)


def without(place: int) -> list[Entry]:
    return [entry for number, entry in enumerate(LOG) if number != place]


def test_a_good_history_has_no_violation() -> None:
    assert violations(LOG, [ANN, BEN]) == []


def test_a_client_that_is_behind_is_no_violation_before_it_settled() -> None:
    behind = BEN._replace(applied=LOG[:2], acked=[], shown=SHOWN[:1])
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
        pytest.param([*LOG, LOG[0]._replace(seq=5, id="e4", client_id="a9")], {}, "log of r: the id e4 is there 2 times", id="id-twice"),
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


# Ben, who is removed and comes back, edits, reacts and deletes; Ann reads.
CHANGED = [
    Entry("r", 1, "e1", "ann", "j1", None, "member.joined", user_id="ben"),
    Entry("r", 2, "e2", "ben", "b1", "one"),
    Entry("r", 3, "e3", "ben", "b2", "eins", "message.edited", "e2"),
    Entry("r", 4, "e4", "ben", "b3", "zwei", "message.edited", "e2"),
    Entry("r", 5, "e5", "ann", "j2", None, "member.left", user_id="ben"),
    Entry("r", 6, "e6", "ann", "a1", None),  # it was "gone" before it was deleted
    Entry("r", 7, "e7", "ann", "j3", None, "member.joined", user_id="ben"),
    Entry("r", 8, "e8", "ben", "b4", None, "reaction.added", "e2", "+"),
    Entry("r", 9, "e9", "ann", "a2", None, "message.deleted", "e6"),
]
NOW = [Shown("r", "e2", 8, "zwei", True, False, (("+", "ben"),)), Shown("r", "e6", 9, "", False, True)]
SAW = [entry if entry.seq != 6 else entry._replace(text="gone") for entry in CHANGED]
ELSEWHERE = SAW[2]._replace(message_id="e6")
READER = History(
    "ann",
    sent=[Sent("r", "a1", "gone"), Sent("r", "a2", None, "message.deleted", "e6")],
    acked=[Acked("r", "a1", "e6", 6), Acked("r", "a2", "e9", 9)],
    applied=SAW,
    shown=NOW,
)
REMOVED = History(
    "ben",
    sent=[
        Sent("r", "b1", "one"),
        Sent("r", "b2", "eins", "message.edited", "e2"),
        Sent("r", "b3", "zwei", "message.edited", "e2"),
        Sent("r", "lost", "while removed", refused=True),
        Sent("r", "b4", None, "reaction.added", "e2"),
    ],
    acked=[Acked("r", f"b{number}", f"e{seq}", seq) for number, seq in ((1, 2), (2, 3), (3, 4), (4, 8))],
    applied=SAW,
    live=[Live(1, "r", seq) for seq in (2, 3, 4, 5)] + [Live(1, "r", seq, 2) for seq in (7, 8, 9)],
    returns=[Held("r", 5)],
    shown=NOW,
)


def test_a_good_history_of_changes_and_a_removal_has_no_violation() -> None:
    assert violations(CHANGED, [READER, REMOVED]) == []


def test_who_is_removed_at_the_end_has_to_see_nothing_more() -> None:
    after = [
        Entry("r", 10, "e10", "ann", "j4", None, "member.left", user_id="ben"),
        Entry("r", 11, "e11", "ann", "j5", None, "room.updated"),
    ]
    log, ann = [*CHANGED, *after], READER._replace(applied=[*SAW, *after])
    assert violations(log, [ann, REMOVED]) == []
    assert violations(log, [ann, REMOVED._replace(applied=ann.applied)]) == ["ben: has 11 of r, removed at 10"]


def test_a_page_of_history_stands_for_the_events_that_it_skipped() -> None:
    paged = REMOVED._replace(applied=[SAW[0], *SAW[7:]], skipped=[Skipped("r", 1, 7)], returns=[Held("r", 1)])
    assert violations(CHANGED, [READER, paged]) == []
    lost = paged._replace(shown=NOW[:1])
    assert [each.partition(" as ")[0] for each in violations(CHANGED, [READER, lost])] == ["ben: shows e6 of r"]


def test_a_stream_may_have_gaps_but_not_go_back_where_that_is_said() -> None:
    hole = ANN._replace(live=[Live(1, "r", 2), Live(1, "r", 4)])
    late = ANN._replace(live=[Live(1, "r", 4), Live(1, "r", 3)])
    assert violations(LOG, [hole, BEN], gaps=True) == []
    assert violations(LOG, [late, BEN], gaps=True) == ["ann: 3 of r followed 4 on connection 1"]


@pytest.mark.parametrize(
    ("ben", "said"),
    [
        pytest.param({"shown": [NOW[0]._replace(text="eins"), NOW[1]]}, "ben: shows e2 of r", id="edits-out-of-order"),
        pytest.param({"shown": [NOW[0]._replace(version=7), NOW[1]]}, "ben: shows e2 of r", id="another-version"),
        pytest.param({"shown": [NOW[0]._replace(reactions=()), NOW[1]]}, "ben: shows e2 of r", id="reaction-not-folded"),
        pytest.param({"shown": [NOW[0], NOW[1]._replace(deleted=False)]}, "ben: shows e6 of r", id="deletion-not-folded"),
        pytest.param({"shown": NOW[:1]}, "ben: shows e6 of r", id="message-not-shown"),
        pytest.param({"shown": [*NOW, SHOWN[0]._replace(id="x")]}, "ben: shows x of r", id="ghost-shown"),
        pytest.param({"applied": [*SAW[:2], ELSEWHERE, *SAW[3:]]}, "ben: saw 3 e3 in r where the log has 3 e3", id="other-target"),
        pytest.param({"live": [Live(1, "r", 5), Live(1, "r", 6)]}, "ben: heard 6 of r, removed at 5", id="heard-after-removal"),
        pytest.param({"live": [Live(1, "r", 9, 3)]}, "ben: heard 9 of r in stay 3, the log has 2", id="heard-in-no-stay"),
        pytest.param({"returns": [Held("r", 6)]}, "ben: has 6 of r, removed at 5", id="applied-after-removal"),
        pytest.param({"sent": [REMOVED.sent[1]._replace(message_id="e6")]}, "ben: b2 is message.edited of e2", id="edit-of-another"),
        pytest.param({"sent": [REMOVED.sent[3]._replace(refused=False)]}, "ben: lost was never acknowledged", id="refused-is-said"),
        pytest.param({"sent": REMOVED.sent[1:]}, "log of r: b1 was sent by nobody", id="forged-while-removed"),
    ],
)  # fmt: skip
def test_each_violation_of_changes_and_removals_is_found(ben: dict[str, Any], said: str) -> None:
    assert any(each.startswith(said) for each in violations(CHANGED, [READER, REMOVED._replace(**ben)]))
