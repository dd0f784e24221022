"""Tests of holdfast.generators."""
