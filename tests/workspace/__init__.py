"""The local workspace, tested with Slack's own SDK and Bolt."""
