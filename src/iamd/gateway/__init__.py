"""The gateway: requests to other services, decided like all others, then forwarded to a backend."""
