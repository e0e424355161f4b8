"""What snapshots were trained on, and how their trainings went, against earlier ones."""
