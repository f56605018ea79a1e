"""What runs in a job, around the user's app: root, gate, saving and the control channel."""
