"""Screens over the overview: everything known of one node, CSV, VM, writer or event."""
