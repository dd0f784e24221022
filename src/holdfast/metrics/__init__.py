"""How varied: lexical, n-gram, semantic and tail metrics against an anchor."""
