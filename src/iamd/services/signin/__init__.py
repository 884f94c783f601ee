"""Signing in as a person: passwords, second factors, and the sessions that begin so."""
