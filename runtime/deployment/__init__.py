"""The stages after training: export, fixed-point evaluation, and what the simulated board does."""
