"""Values, families, errors, seeds: what every stage speaks. Imports nothing of ours."""
