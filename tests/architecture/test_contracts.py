"""The contracts of import-linter are seen to fail: on a copy of the package with one import planted against each."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")
CONTRACTS = [
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
]

PLANTED = {
    "Layers: cli, app, services, engines, platform": ("platform/ids.py", "import parlour.chat.model"),
    "The realtime engine knows nothing of Parlour": ("realtime/limits.py", "import parlour.platform.ids"),
    "Models are values: they import only errors and ids of the platform": ("chat/model.py", "import asyncio"),
    "Ports import models only": ("auth/ports.py", "import sqlalchemy"),
    "Adapters never import services": ("chat/adapters/memory.py", "import parlour.chat.service.heads"),
    "Only the composition root names a concrete adapter": ("chat/worker.py", "import parlour.chat.adapters.memory"),
    "Protocol code moves no bytes: neither asyncio nor sockets": ("realtime/frames.py", "import socket"),
}
"""By contract: a file, and the import that breaks it."""


def lint(project: Path) -> dict[str, bool]:
    """Run import-linter on a copy of the project; return which contracts it found kept."""
    environment = os.environ | {"PYTHONPATH": str(project / "src"), "NO_COLOR": "1", "COLUMNS": "200"}
    command = [str(LINTER), "--no-cache", "--no-logo"]
    run = subprocess.run(
        command, check=False, cwd=project, env=environment, capture_output=True, text=True, timeout=100
    )
    verdicts = dict(re.findall(r"^(.+?) (KEPT|BROKEN)\b", run.stdout, re.MULTILINE))
    assert run.returncode == ("BROKEN" in verdicts.values()), run.stdout + run.stderr
    return {name: verdict == "KEPT" for name, verdict in verdicts.items()}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_is_kept_and_breaks_by_one_import(project: Path) -> None:
    assert sorted(PLANTED) == sorted(CONTRACTS), "a contract without a negative is no contract"
    assert lint(project) == dict.fromkeys(CONTRACTS, True)
    for file, line in PLANTED.values():
        module = project / "src" / "parlour" / file
        module.write_text(f"{module.read_text()}\n{line}\n")
    assert lint(project) == dict.fromkeys(CONTRACTS, False)
