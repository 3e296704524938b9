"""Check that lock files name no registry host and that every Python package is pinned by hash."""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def complaints() -> list[str]:
    """Return what is wrong, a line each."""
    found = []
    for lock in sorted(ROOT.glob("requirements*.txt")):
        text = lock.read_text()
        if re.search(r"https?://|--(extra-)?index-url", text):
            found.append(f"{lock.name}: names a registry; write it with `make lock`")
        pins = re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*$", "", text).strip())
        found += [f"{lock.name}: no hash: {pin.split()[0]}" for pin in pins if pin.strip() and "--hash=" not in pin]
    for lock in sorted(ROOT.glob("*/**/package-lock.json")):
        if "node_modules" in lock.relative_to(ROOT).parts:
            continue
        packages = json.loads(lock.read_text()).get("packages", {})
        addressed = [name for name, package in packages.items() if "resolved" in package and not package.get("link")]
        if addressed:
            found.append(
                f"{lock.relative_to(ROOT)}: {len(addressed)} packages with an address; npm's omit-lockfile-registry-resolved=true"
            )
    return found


if __name__ == "__main__":
    problems = complaints()
    print("\n".join(problems), file=sys.stderr)
    sys.exit(bool(problems))
