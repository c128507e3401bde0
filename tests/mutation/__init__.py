"""Changes the module one place at a time and asks whether the checker or a test notices."""
