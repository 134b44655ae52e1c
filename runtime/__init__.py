"""What generated experiments call: model, data, training, evaluation. Knows nothing of YAML and schemas."""
