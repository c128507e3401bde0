"""Tests of hvtui.model: pure, no clock, no network."""
