"""Put the built web client into the wheel (pyproject.toml names this hook): `make build` before `uv build --wheel`."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebClientHook(BuildHookInterface[Any]):
    """Adds web/dist as parlour/web_dist, where `PARLOUR_WEB_DIR` looks first; a source tree needs no copy."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Choose what goes in; `version` is "editable" for a source tree."""
        built = Path(self.root, "web", "dist")
        if version == "editable":
            return
        if (built / "index.html").is_file():
            build_data["force_include"][str(built)] = "parlour/web_dist"
        else:
            self.app.display_warning("This wheel has no web client: run `make build` first.")
