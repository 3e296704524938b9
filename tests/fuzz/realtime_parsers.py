"""Feeds mutated packets to every parser of the realtime engine.

    python tests/fuzz/realtime_parsers.py [--inputs 1000000] [--seed 0]

Any bytes must give a packet or a protocol error; any other exception, and a packet that does not survive its own encoding,
ends the run with the input that caused it. The same seed makes the same inputs.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable

from parlour.realtime.engine_packet import EnginePacket, decode_packet, decode_payload, encode_packet
from parlour.realtime.engine_session import EngineSession
from parlour.realtime.errors import ProtocolError
from parlour.realtime.frames import frame, split_frames
from parlour.realtime.socket_packet import decode, encode, restore_binary

SEEDS = (
    b'2["message",1,"2",{"3":[true]}]',
    b'2/admin,456["m",{"a":null,"b":1.5e10}]',
    b'52-/admin,7["m",{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":1}}]',
    b'61-3[{"_placeholder":true,"num":0}]',
    b'0/admin,{"token":"123"}',
    b'4{"message":"no","data":{"code":"x"}}',
    b"1/admin,",
    b"3/admin,456[]",
    b"2probe",
    b"4hello\x1ebAQIDBA==\x1e2\x1e1",
    b'2["\\ud83d","\xc3\xa9\xe2\x82\xac"]',
    b'2["m",' + b"[" * 40 + b"]" * 40 + b"]",
)
TOKENS = (
    b'"', b"[", b"]", b"{", b"}", b",", b"/", b"-", b"\x1e", b"b", b"\\", b"\\ud800", b"\\u", b"\xff", b"\xed\xa0\x80", b"null",
    b"1e999", b"-0", b"99999999999999999999", b'{"_placeholder":true,"num":0}', b'"_placeholder"', b'"connect"', b"=", b"\x00",
)  # fmt: skip


def mutate(data: bytes, rng: random.Random) -> bytes:
    """A few random edits."""
    edited = bytearray(data)
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(edited) + 1)
        match rng.randrange(5):
            case 0:
                edited[at:at] = rng.choice(TOKENS)
            case 1:
                del edited[at : at + rng.randrange(1, 6)]
            case 2 if at < len(edited):
                edited[at] = rng.randrange(256)
            case 3:
                edited[at:at] = edited[at : at + rng.randrange(1, 20)]
            case _:
                other = rng.choice(SEEDS)
                edited[at:] = other[rng.randrange(len(other)) :]
    return bytes(edited[:4_096])


def socket_packets(data: bytes) -> None:
    packet = decode(data)
    if packet.attachments:
        packet.data = restore_binary(packet.data, [b"x"] * packet.attachments)
        packet.attachments = 0
        encode(packet)
        return
    text, attachments = encode(packet)
    if attachments or decode(text) != packet:
        raise AssertionError("a packet did not survive its own encoding")


def engine_packets(data: bytes) -> None:
    packet = decode_packet(data)
    if decode_packet(encode_packet(packet)) != packet:
        raise AssertionError("a packet did not survive its own encoding")


def engine_payloads(data: bytes) -> None:
    session = EngineSession("sid", "polling")
    session.begin_probe()
    for packet in decode_payload(data):
        session.receive(packet)
        session.receive_probe(EnginePacket(packet.type, packet.data))


def frames(data: bytes) -> None:
    if split_frames(frame(1, data)) != [(1, data)]:
        raise AssertionError("a frame did not come apart as it was")
    try:
        split_frames(data)
    except ValueError as exc:
        raise ProtocolError from exc


TARGETS: tuple[Callable[[bytes], None], ...] = (socket_packets, engine_packets, engine_payloads, frames)


def run(inputs: int, seed: int) -> int:
    """Feeds `inputs` inputs; gives how many were accepted.

    Raises:
        AssertionError: a target let an exception out that is no protocol error, or lost something. Names the input.
    """
    rng = random.Random(seed)
    accepted = 0
    data = SEEDS[0]
    for number in range(inputs):
        data = mutate(rng.choice(SEEDS) if number % 3 == 0 or not data else data, rng)
        target = TARGETS[number & 3]
        try:
            target(data)
        except ProtocolError:
            continue
        except Exception as exc:
            raise AssertionError(f"{target.__name__}({data!r}): {exc!r}") from exc
        accepted += 1
    return accepted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begun = time.monotonic()
    try:
        accepted = run(options.inputs, options.seed)
    except AssertionError as exc:
        sys.exit(f"fuzz: {exc}")
    print(f"fuzz: {options.inputs} inputs, {accepted} accepted, the rest refused as protocol errors, "
          f"{time.monotonic() - begun:.0f} s")  # fmt: skip


if __name__ == "__main__":
    main()
