"""/v1/merchant: what staff ask for."""
