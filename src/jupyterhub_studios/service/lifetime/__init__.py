"""When a session ends by itself: evidence in, one pure decision, and the shell that carries it out."""
