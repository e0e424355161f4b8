"""One team's tables on several engines: the same evidence, whoever holds them."""
