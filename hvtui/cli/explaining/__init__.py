"""What `hvtui explain` makes of a pasted text: what it recognises, why that happens, what to do and what not."""
