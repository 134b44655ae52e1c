"""BEV decoders: a head with its target, losses and decoder."""
