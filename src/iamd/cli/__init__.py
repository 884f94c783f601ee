"""The command line: `main` runs it."""

import os
import sys


def main() -> None:
    """Run the command line; every error is one line on standard error."""
    # Imported here: SDKs run `iamd credential-process` while somebody waits, and it needs nearly none of the rest.
    if sys.argv[1:2] == ["credential-process"]:
        from iamd.cli import quickly

        printed = quickly.credential_process(sys.argv[2:], os.environ)
        if printed is not None:
            sys.stdout.write(printed)
            sys.stdout.flush()
            return
    from iamd.cli import commands

    commands.main()
