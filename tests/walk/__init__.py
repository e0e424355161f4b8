"""The walk: alert to conclusion, through Bolt and the local workspace."""
