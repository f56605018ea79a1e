"""The studios service: pages, REST API, the agents' control channel and the catalogue of checkpoints."""
