"""What the module costs a node."""
