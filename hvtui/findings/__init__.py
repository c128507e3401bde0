"""From symptom to named cause and safe next step: rules over state, events and history give ranked findings."""
