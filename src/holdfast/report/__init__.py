"""Report to HTML, JSON, SARIF and card."""
