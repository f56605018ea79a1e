"""Interactive studios next to the data, on JupyterHub."""

__version__ = "0.1.0"
