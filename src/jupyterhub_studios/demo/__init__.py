"""The demo: everything on 127.0.0.1, in one folder, from one command."""
