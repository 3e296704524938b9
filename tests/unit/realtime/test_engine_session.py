"""The state machine of an Engine.IO session, fed with everything."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from parlour.realtime.engine_packet import EnginePacket
from parlour.realtime.engine_session import EngineOptions, EngineSession, Reaction
from parlour.realtime.frames import split_frames

packets = st.tuples(st.integers(0, 6), st.sampled_from([b"", b"probe", b"x"])).map(lambda parts: EnginePacket(*parts))
steps = st.lists(st.tuples(st.sampled_from(["receive", "begin_probe", "receive_probe", "end_probe", "close"]), packets))


@given(st.sampled_from(["polling", "websocket"]), steps)
def test_no_sequence_of_packets_raises_and_closed_stays_closed(transport, sequence) -> None:
    session = EngineSession("sid", transport)
    for step, packet in sequence:
        was_closed, was_websocket = session.closed, session.transport == "websocket"
        match step:
            case "receive":
                reaction = session.receive(packet)
                assert not was_closed or reaction is Reaction.NOTHING
            case "receive_probe":
                reaction = session.receive_probe(packet)
                assert reaction in (Reaction.ANSWER_PROBE, Reaction.UPGRADE, Reaction.REJECT_PROBE)
                assert not was_closed or reaction is Reaction.REJECT_PROBE
            case "begin_probe":
                assert not (session.begin_probe() and (was_closed or was_websocket))
            case "end_probe":
                session.end_probe()
            case "close":
                assert session.close() is not was_closed
        assert not was_closed or session.closed
        assert not was_websocket or session.transport == "websocket"


def test_the_handshake_offers_an_upgrade_only_where_there_is_one() -> None:
    options = EngineOptions(ping_interval=300, ping_timeout=200, max_payload=1_000_000)
    for transport, upgrades in (("polling", ["websocket"]), ("websocket", [])):
        ((_, payload),) = split_frames(EngineSession("abc", transport).open_frame(options))
        assert payload[:1] == b"0"
        assert msgspec.json.decode(payload[1:]) == {
            "sid": "abc",
            "upgrades": upgrades,
            "pingInterval": 300,
            "pingTimeout": 200,
            "maxPayload": 1_000_000,
        }


def test_an_upgrade_goes_by_probe_answer_and_upgrade() -> None:
    session = EngineSession("sid", "polling")
    assert session.begin_probe()
    assert not session.begin_probe()  # one at a time
    assert not session.probing
    assert session.receive_probe(EnginePacket(2, b"probe")) is Reaction.ANSWER_PROBE
    assert session.probing
    assert session.receive_probe(EnginePacket(5)) is Reaction.UPGRADE
    assert (session.transport, session.upgraded, session.probing) == ("websocket", True, False)
    assert not session.begin_probe()


def test_a_probe_that_says_anything_else_is_rejected_and_may_be_tried_again() -> None:
    session = EngineSession("sid", "polling")
    assert session.begin_probe()
    assert session.receive_probe(EnginePacket(4, b"hello")) is Reaction.REJECT_PROBE
    assert session.transport == "polling"
    assert session.begin_probe()


def test_a_client_that_pings_breaks_the_protocol() -> None:
    """engine.io-protocol v4, "Heartbeat": the server sends the pings."""
    assert EngineSession("sid", "websocket").receive(EnginePacket(2)) is Reaction.BROKEN
