"""Who makes: generators are plain callables that yield records."""
