"""The README's example runs as it stands, without the rest of Parlour."""

import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import parlour.realtime

README = Path(parlour.realtime.__file__).with_name("README.md")


async def test_the_example_serves_two_people(serve: Any, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    script = tmp_path / "example.py"
    script.write_text(code)
    server = runpy.run_path(str(script))["server"]
    site = await serve(server)
    ada = await site.connect(auth={"name": "Ada"})
    while not any(socket.rooms >= {"lobby"} for socket in server.of("/").sockets.values()):
        ada.send('420["say","early"]')
        await ada.take(2)
    grace = await site.connect(auth={"name": "Grace"})
    assert await ada.next() == '42["joined","Grace"]'
    grace.send('421["say","hello"]')
    assert await grace.take(2) == ['42["said","Grace","hello"]', '431[{"ok":true}]']
    assert await ada.next() == '42["said","Grace","hello"]'
    stranger = await site.websocket()
    await stranger.next()
    stranger.send("40")
    assert await stranger.next() == '44{"message":"Who are you?","data":{"code":"unauthorized"}}'


def test_every_file_of_the_table_exists() -> None:
    named = set(re.findall(r"`(\w+\.py)`", README.read_text()))
    there = {path.name for path in README.parent.glob("*.py")} - {"__init__.py", "errors.py"}
    assert named == there


def test_the_package_imports_nothing_of_parlour_but_itself() -> None:
    code = "import sys, parlour.realtime; print([m for m in sys.modules if m.startswith('parlour.') and 'realtime' not in m])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"
