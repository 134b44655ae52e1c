"""What a decoder learns and how it is judged: target, loss, decoder and metric of each task."""
