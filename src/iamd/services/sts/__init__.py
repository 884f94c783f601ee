"""STS: temporary credentials, and who is calling."""
