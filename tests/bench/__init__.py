"""How fast hvtui is, told as ratios against a baseline and a floor of the same run (`python -m tests.bench`)."""
