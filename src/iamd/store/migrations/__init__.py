"""The tables, as numbered SQL files that are run once each and in order; there is no way back."""
