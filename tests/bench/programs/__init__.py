"""What hvtui is measured against: programs that are run, not imported."""
