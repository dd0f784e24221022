"""What may not be: audit rules, one small file each, named by slug."""
