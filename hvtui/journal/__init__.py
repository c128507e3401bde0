"""The journal: what was changed, by whom, from where, and how it ended; written before a step runs and after it."""
