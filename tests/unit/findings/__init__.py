"""Findings: rules, engine, catalogue."""
