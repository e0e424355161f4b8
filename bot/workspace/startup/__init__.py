"""On the path of the apps that ``hawkeye sandbox`` runs: ``sitecustomize`` alone."""
