"""What an administrator sets. ``jupyterhub_config.py`` takes the entries of the Hub from here; the Hub and the service
read :class:`Studios`."""

from ..templates import JUPYTER
from .hub import SERVICE_NAME, service_definition, service_role
from .reading import endpoint
from .traits import Studios, allowed

__all__ = ["JUPYTER", "SERVICE_NAME", "Studios", "allowed", "endpoint", "service_definition", "service_role"]
