"""Every change: plan, preflight, confirm, run, verify, journal. The one gate stands here, below every front end."""
