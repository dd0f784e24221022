"""Tests of the examples that ship with the package."""
