"""A night in one file: everything the console was told, written as it comes and played again like the live feed."""
