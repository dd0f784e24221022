"""What leaks: personal data, secrets, hidden text."""
