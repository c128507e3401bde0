"""The module HvTui on a real engine, against a world that stands still."""
