"""One module a verb: from facts and a wish to a plan with everything that stands against it."""
