"""Windows' commands: what each answers out of the world, and what each changes there."""
