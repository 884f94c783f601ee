"""A file per service: what its types of resources do."""
