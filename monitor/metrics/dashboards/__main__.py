"""``python -m monitor.metrics.dashboards FOLDER`` writes the dashboards into FOLDER/dashboards."""

import argparse
import sys
from pathlib import Path

from monitor.metrics.dashboards import write

parser = argparse.ArgumentParser(prog="python -m monitor.metrics.dashboards", description=__doc__)
parser.add_argument("folder", type=Path, help="where the folder 'dashboards' is, or is made: grafana")
for path in write(parser.parse_args().folder):
    sys.stdout.write(f"{path}\n")
