"""Compile the decision engine with mypyc into the wheel: a build hook of hatchling's, for `make wheel-compiled`.

Without a C compiler the wheel is the plain one; the wheel's name tells which it is.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULES = (
    "any_of_kind", "conditions", "decision", "elements", "evaluate", "index", "operators", "principals", "request",
    "sets", "variables", "wildcard",
)  # fmt: skip
"""What a decision runs through; what only reads or explains stays as it is."""

FLAGS = "-fno-semantic-interposition -fno-plt"
"""For compilers that read CFLAGS: its functions call each other, and nobody's of the same names."""


class CompiledEngine(BuildHookInterface[Any]):  # type: ignore[misc]  # hatchling is there only when a wheel is built
    """Adds the compiled modules beside their sources, which stay to be read and as what they are compiled from."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, unless it is an editable installation or there is no compiler."""
        if version == "editable" or not has_compiler():
            return
        compiled = Path(self.directory) / "compiled"
        shutil.rmtree(compiled, ignore_errors=True)
        for made in compile_into(compiled, Path(self.root) / "src"):
            build_data["force_include"][str(made)] = str(made.relative_to(compiled))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave nothing behind but the wheel."""
        shutil.rmtree(Path(self.directory) / "compiled", ignore_errors=True)


def has_compiler() -> bool:
    """Whether the compiler that this Python was built with, or another, is there."""
    named = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    return shutil.which(str(named).split()[0]) is not None


def compile_into(folder: Path, source: Path) -> list[Path]:
    """Compile the modules, and give the libraries; they stand in `folder` as they will in the wheel."""
    with tempfile.TemporaryDirectory(prefix="iamd-mypyc-") as made:
        work = Path(made)
        shutil.copytree(source / "iamd", work / "iamd")
        settings = work / "mypy.ini"
        # The libraries that other modules use are not there when a wheel is built.
        settings.write_text("[mypy]\nstrict = True\nignore_missing_imports = True\nfollow_imports = silent\n", "utf-8")
        subprocess.run(
            [sys.executable, "-m", "mypyc", "--config-file", settings, *(f"iamd/policy/{m}.py" for m in MODULES)],
            cwd=work,
            env={
                **os.environ,
                "CFLAGS": f"{FLAGS} {os.environ.get('CFLAGS', '')}",
                "MYPYC_OPT_LEVEL": "3",
                "MYPYC_DEBUG_LEVEL": "0",
            },
            check=True,
        )
        shutil.rmtree(work / "build")
        libraries = [*work.glob("*.so"), *work.glob("iamd/**/*.so"), *work.glob("*.pyd"), *work.glob("iamd/**/*.pyd")]
        for library in libraries:
            placed = folder / library.relative_to(work)
            placed.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(library, placed)
        return [folder / library.relative_to(work) for library in libraries]
