"""Tests of the shell: what Slack sends in, what goes out."""
