"""Tables in, Evidence out. Knows no incident, no Slack, no SQLite."""
