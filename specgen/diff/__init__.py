"""What differs between two specs: what was written differently, and what follows from it."""
