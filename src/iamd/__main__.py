"""`python -m iamd` is the command line."""

from iamd.cli import main

main()
