"""A storm of alerts: a world with planted causes, and the vendors' words for what they show."""
