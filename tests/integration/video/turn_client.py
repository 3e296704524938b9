"""As much of STUN and TURN (RFC 8489, RFC 8656) over UDP as it takes to send something through a relay."""

import asyncio
import hashlib
import hmac
import ipaddress
import os
import struct
from typing import Any

COOKIE = 0x2112A442
BINDING, ALLOCATE, CREATE_PERMISSION = 0x0001, 0x0003, 0x0008
SEND, DATA = 0x0016, 0x0017
SUCCESS, ERROR = 0x0100, 0x0110
USERNAME, MESSAGE_INTEGRITY, ERROR_CODE = 0x0006, 0x0008, 0x0009
XOR_PEER_ADDRESS, DATA_ATTRIBUTE, REALM, NONCE = 0x0012, 0x0013, 0x0014, 0x0015
XOR_RELAYED_ADDRESS, REQUESTED_TRANSPORT, XOR_MAPPED_ADDRESS = 0x0016, 0x0019, 0x0020
UDP = struct.pack("!B3x", 17)
Address = tuple[str, int]


class TurnError(Exception):
    """The server refused; the argument is the code."""


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def message(kind: int, transaction: bytes, attributes: bytes, key: bytes | None = None) -> bytes:
    """A message, with MESSAGE-INTEGRITY where there is a key (RFC 8489, section 14.5)."""
    if key is None:
        return struct.pack("!HHI", kind, len(attributes), COOKIE) + transaction + attributes
    signed = struct.pack("!HHI", kind, len(attributes) + 24, COOKIE) + transaction + attributes
    return signed + attribute(MESSAGE_INTEGRITY, hmac.new(key, signed, hashlib.sha1).digest())


def attributes_of(packet: bytes) -> dict[int, bytes]:
    found, at = {}, 20
    while at + 4 <= len(packet):
        kind, length = struct.unpack_from("!HH", packet, at)
        found.setdefault(kind, packet[at + 4 : at + 4 + length])
        at += 4 + length + -length % 4
    return found


def xored(address: Address) -> bytes:
    host = int(ipaddress.IPv4Address(address[0])) ^ COOKIE
    return struct.pack("!xBHI", 1, address[1] ^ (COOKIE >> 16), host)


def unxored(value: bytes) -> Address:
    _, port, host = struct.unpack("!xBHI", value)
    return str(ipaddress.IPv4Address(host ^ COOKIE)), port ^ (COOKIE >> 16)


class TurnClient(asyncio.DatagramProtocol):
    """One 5-tuple with a server. Use `await TurnClient.open(...)`, and `close()` it."""

    def __init__(self) -> None:
        self._answers: dict[bytes, asyncio.Future[bytes]] = {}
        self._transport: asyncio.DatagramTransport
        self._signed = b""
        self._key: bytes | None = None
        self.received: asyncio.Queue[tuple[Address, bytes]] = asyncio.Queue()

    @classmethod
    async def open(cls, server: Address) -> "TurnClient":
        _, client = await asyncio.get_running_loop().create_datagram_endpoint(cls, remote_addr=server)
        return client

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, packet: bytes, _: Any) -> None:
        kind = struct.unpack_from("!H", packet)[0]
        if kind == DATA:
            found = attributes_of(packet)
            self.received.put_nowait((unxored(found[XOR_PEER_ADDRESS]), found[DATA_ATTRIBUTE]))
        else:
            answer = self._answers.pop(packet[8:20], None)
            if answer is not None and not answer.done():
                answer.set_result(packet)

    def close(self) -> None:
        self._transport.close()

    async def _ask(self, kind: int, attributes: bytes) -> dict[int, bytes]:
        transaction = os.urandom(12)
        answer = self._answers[transaction] = asyncio.get_running_loop().create_future()
        packet = message(kind, transaction, attributes + self._signed, self._key)
        for patience in (0.5, 1.0, 2.0, 4.0):  # RFC 8489, section 6.2.1: UDP may lose either way
            self._transport.sendto(packet)
            done, _ = await asyncio.wait([answer], timeout=patience)
            if done:
                break
        else:
            raise TimeoutError("the server does not answer")
        packet = answer.result()
        found = attributes_of(packet)
        if struct.unpack_from("!H", packet)[0] & SUCCESS and not found.get(ERROR_CODE):
            return found
        code = found[ERROR_CODE]
        if self._key is None and REALM in found:
            self._signed = attribute(REALM, found[REALM]) + attribute(NONCE, found[NONCE])
        raise TurnError(code[2] * 100 + code[3])

    async def mapped(self) -> Address:
        """The address that the server sees (STUN)."""
        return unxored((await self._ask(BINDING, b""))[XOR_MAPPED_ADDRESS])

    async def allocate(self, username: str, password: str) -> Address:
        """Get a relayed address: asked without credentials first, for realm and nonce (RFC 8489, section 9.2).

        Raises:
            TurnError: the credentials are not good.
        """
        transport = attribute(REQUESTED_TRANSPORT, UDP)
        try:
            await self._ask(ALLOCATE, transport)
        except TurnError as challenge:
            if challenge.args[0] != 401:
                raise
        realm = attributes_of(bytes(20) + self._signed)[REALM].decode()
        self._signed += attribute(USERNAME, username.encode())
        self._key = hashlib.md5(f"{username}:{realm}:{password}".encode()).digest()
        return unxored((await self._ask(ALLOCATE, transport))[XOR_RELAYED_ADDRESS])

    async def permit(self, peer: Address) -> None:
        """Let packets of a peer's address through."""
        await self._ask(CREATE_PERMISSION, attribute(XOR_PEER_ADDRESS, xored(peer)))

    def send(self, peer: Address, data: bytes) -> None:
        """Have the relay send something to a peer."""
        attributes = attribute(XOR_PEER_ADDRESS, xored(peer)) + attribute(DATA_ATTRIBUTE, data)
        self._transport.sendto(message(SEND, os.urandom(12), attributes))
