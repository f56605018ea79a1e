from ..forge.conftest import aws, forge, server
from ..images.conftest import bundle

__all__ = ["aws", "bundle", "forge", "server"]
