"""From files to rows to columns: the parts of `core.reader`. Nothing outside `core` reads these but the writer."""
