"""Optional outside parts, one file each: trackers, trainers, cluster engines."""
