"""What brings fixed point nearer to float without training: equalisation, AdaRound, bias correction."""
