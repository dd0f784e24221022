"""What is true: verifiers are plain callables from a record to a verdict."""
