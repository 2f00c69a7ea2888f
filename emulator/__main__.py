"""``python -m emulator --help``: run one emulated plant by itself."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from emulator.app import run
from emulator.settings import HOST, EmulatorSettings

API_KEY_VARIABLE = "FORERUN_EMULATOR_API_KEY"


def main() -> None:
    """Read the command line and run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m emulator", description="Run an emulated plant.")
    parser.add_argument("plant_folder", type=Path)
    parser.add_argument("--state-dir", type=Path, required=True, help="where it lives on over restarts")
    parser.add_argument("--gateway-url", required=True, help=f"job responses go there; key in {API_KEY_VARIABLE}")
    parser.add_argument("--rate", type=float, default=60.0, help="plant seconds per wall second")
    parser.add_argument("--mqtt-host", default=HOST)
    parser.add_argument("--mqtt-port", type=int, default=1883)
    for name in ("opcua", "modbus", "http"):
        parser.add_argument(f"--{name}-port", type=int, default=0, help="loopback port; 0: a free one")
    parser.add_argument("--seed", type=int, default=7)
    run(EmulatorSettings(api_key=os.environ.get(API_KEY_VARIABLE, ""), **vars(parser.parse_args())))


if __name__ == "__main__":
    main()
