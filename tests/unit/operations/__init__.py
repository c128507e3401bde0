"""Tests of what decides and counts in operations."""
