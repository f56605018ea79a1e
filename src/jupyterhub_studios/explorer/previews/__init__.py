"""What is in a file, told from a small part of it that is read by ranges."""
