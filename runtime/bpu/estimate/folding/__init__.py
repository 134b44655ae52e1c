"""What several nodes of a float network spell and the chip does as one, or not at all."""
