"""The state: small frozen records by account and kind, snapshots that readers hold, and the databases behind them."""
