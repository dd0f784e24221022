"""Who writes: model families, encoders, language models."""
