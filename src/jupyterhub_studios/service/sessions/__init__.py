"""One run of a studio, from its launch to its end."""
