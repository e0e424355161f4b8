"""Wiring: settings, plugins, the schedule, the servers, the command line, the local workspace."""
