"""Commands that change a cluster: a plan by default, `--apply` to carry it out."""
