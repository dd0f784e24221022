"""Tests of the pages that are served on this machine."""
