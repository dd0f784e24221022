"""Tests of holdfast.models."""
