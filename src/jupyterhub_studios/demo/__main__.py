"""``python -m jupyterhub_studios.demo``: what ``make demo`` runs."""

import argparse
import sys
from pathlib import Path

from .run import main

parser = argparse.ArgumentParser(prog="python -m jupyterhub_studios.demo", description=__doc__)
parser.add_argument("--config", type=Path, required=True, help="the Hub's configuration file")
parser.add_argument(
    "--packages", type=Path, required=True, help="folder with the wheels that hold the data sets"
)
arguments = parser.parse_args()
sys.exit(main(arguments.config.resolve(), arguments.packages.resolve()))
