"""The embedded backend: a moto server that iamd starts, watches and stops, and that does only what iamd decided."""
