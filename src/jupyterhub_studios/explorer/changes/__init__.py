"""Changes: folders made, things renamed, moved and deleted. Whatever fails on the way, nothing is lost."""

from .deleting import delete
from .folders import make_folder
from .moving import move

__all__ = ["delete", "make_folder", "move"]
