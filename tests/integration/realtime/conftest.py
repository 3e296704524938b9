"""The fixtures of the conformance tests: servers as subprocesses, always ours here."""

from ...conformance.conftest import engine, http, patient, pytest_configure, scenarios, servers, socketio, start_server

__all__ = ["engine", "http", "patient", "pytest_configure", "scenarios", "servers", "socketio", "start_server"]
