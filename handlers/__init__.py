"""The shell: Slack in, Slack out."""
