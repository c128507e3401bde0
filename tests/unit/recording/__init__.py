"""Tests of the recordings: their format, what goes in and what comes out."""
