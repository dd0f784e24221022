"""Multi-generation experiments: the only place that composes verbs in a loop."""
