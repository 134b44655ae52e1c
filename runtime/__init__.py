"""What generated experiments call: model blocks, data, training and evaluation. Knows nothing of YAML, schemas or specgen."""
