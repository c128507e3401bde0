"""Pure functions and structures."""
