"""Ports of test servers. Below 32768, so no client's outgoing connection can be given one that a server lets go of for a while."""

import os
import random
import socket

import pytest


def own(ports: range) -> range:
    """The share of a suite's ports that this run of pytest has to itself, where others run beside it (scripts/run_tests.py)."""
    number, runs = map(int, os.environ.get("PARLOUR_TEST_SHARE", "0/1").split("/"))
    share = len(ports) // runs
    return ports[number * share : (number + 1) * share]


ENGINES = own(range(31_400, 31_500))
"""Of PostgreSQL, Redis, Kafka and MongoDB: tests end and start them again."""


def free_port(ports: range) -> int:
    """One that nobody listens on. It stays ours over a restart."""
    for port in random.sample(ports, len(ports)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    pytest.fail(f"no free port in {ports}")
