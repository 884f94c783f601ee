"""The pages, a module for each noun, and which of them a path is."""
