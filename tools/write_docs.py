"""Write the generated pages of docs/; with --check, tell which are not as they would be written."""

import argparse
import sys
from pathlib import Path

from pages import PAGES

ROOT = Path(__file__).resolve().parent.parent


def stale(root: Path = ROOT) -> list[str]:
    """The pages that are missing or hold something else than would be written."""
    return [name for name, page in PAGES.items() if not _is_as_written(root / name, page())]


def _is_as_written(path: Path, text: str) -> bool:
    return path.exists() and path.read_text("utf-8") == text


def main() -> int:
    """Write every page, or check them; exit code 1 when one is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    if not parser.parse_args().check:
        for name, page in PAGES.items():
            (ROOT / name).write_text(page(), "utf-8")
        return 0
    found = stale()
    for name in found:
        print(f"{name} is not what the code says: run `make docs`", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
