"""Local pages: report browser and human review."""
