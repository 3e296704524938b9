"""Put what is built into the wheel (pyproject.toml names this hook): the C beside the Python, and the web client.

`make build` before `uv build --wheel`.
"""

import importlib.util
import subprocess
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuiltHook(BuildHookInterface[Any]):
    """Adds the compiled C, and web/dist as parlour/web_dist, where `PARLOUR_WEB_DIR` looks first."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Choose what goes in; `version` is "editable" for a source tree, in which `make` builds both in place."""
        if version == "editable":
            return
        if libraries := self._libraries():
            build_data["pure_python"] = False
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["tag"] = f"py3-none-{platform}"  # the C knows nothing of Python, so that one wheel serves all
            for library in libraries:
                inside = library.relative_to(Path(self.root, "src"))
                build_data["force_include"][str(library)] = str(inside)
        built = Path(self.root, "web", "dist")
        if (built / "index.html").is_file():
            build_data["force_include"][str(built)] = "parlour/web_dist"
        else:
            self.app.display_warning("This wheel has no web client: run `make build` first.")

    def _libraries(self) -> list[Path]:
        native = self._build_native()
        try:
            return [native.build(source) for source in native.SOURCES]
        except (OSError, subprocess.CalledProcessError) as error:
            self.app.display_warning(f"Without its C, as that could not be compiled: {error}")
            return []

    def _build_native(self) -> ModuleType:
        spec = importlib.util.spec_from_file_location("build_native", Path(self.root, "scripts", "build_native.py"))
        if spec is None or spec.loader is None:
            raise RuntimeError("scripts/build_native.py is missing")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
