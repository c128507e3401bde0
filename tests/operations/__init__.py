"""Plans, rules and runs of what changes a cluster."""
