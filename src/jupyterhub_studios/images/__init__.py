"""Images that have nothing of ours in them: the agent bundle, registries, and bringing the two together."""
