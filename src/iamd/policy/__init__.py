"""The decision engine: policy documents and one request in, one decision out. Pure: no clock, no files, no network."""
