"""The verbs: one file each, which is one command and one public function."""
