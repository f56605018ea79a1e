"""The Data Explorer in the service: its catalogue, and the explorer that works on it."""
