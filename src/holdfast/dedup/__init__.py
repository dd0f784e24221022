"""What repeats: exact and near-duplicates, templates, copies, contamination."""
