"""Tests of holdfast.verifiers."""
