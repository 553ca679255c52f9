#!/usr/bin/env python3
"""Writes the generated data sets, or with --check says which of them are not what this would write.

    pip install -r datasets/tools/requirements.txt
    python datasets/tools/generate.py [--check]

Only maintainers need this: the files are part of the repository.
"""

import argparse
import pathlib
import sys

import destinations
import japan_holidays
import rates
import risk

FOLDER = pathlib.Path(__file__).resolve().parent.parent


def main():
    arguments = argparse.ArgumentParser(description="Generates the bundled data sets.")
    arguments.add_argument("--check", action="store_true", help="write nothing; fail if a file is not current")
    check = arguments.parse_args().check
    sys.setrecursionlimit(10_000)
    table = destinations.generate(FOLDER)
    tiers = risk.generate(FOLDER)
    files = {
        "destinations/destinations.csv": table,
        "risk/risk.csv": tiers,
        "rates/indicative-jpy.csv": rates.generate(FOLDER, table, tiers),
        "holidays/jp.csv": japan_holidays.generate(),
    }
    stale = []
    for name, text in files.items():
        path = FOLDER / name
        if path.exists() and path.read_bytes() == text.encode():
            continue
        stale.append(name)
        if not check:
            path.write_bytes(text.encode())
    for name in stale:
        print(f"{name}: {'not current' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
