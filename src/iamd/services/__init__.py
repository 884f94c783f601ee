"""The services that iamd answers itself: a folder for each, a file for each noun, a function for each operation."""
