"""risk.csv: the risk tier of a prefix, from the evidence against it."""

import csv

from destinations import csv_text

COLUMNS = ["prefix", "tier", "scope", "sources", "year"]
# Tiers by nature: an ordinary office never calls them, and a minute costs 600 to 1,100 JPY.
BY_NATURE = {
    1: "870 871 872 873 874 8816 8817 8818 8819 88213 88216 88232 882 979",
    2: "881 883",
    3: "878 8812 8813",
}
# Countries whose ordinary numbers are cheap and often called: fraud there uses special and unallocated ranges.
SPECIAL_RANGES = set("7 31 32 39 41 43 44 48 91 212 359 370 371 372 377 378 386 423 886 966 971".split())


def tier(prefix, sources):
    """1 if a Japanese carrier or case names the prefix, or the weights add up to 4; 2 from 2 on; else 3."""
    weight = sum(source["weight"] for source in sources)
    japanese = any(source["weight"] == 3 for source in sources)
    found = 1 if japanese or weight >= 4 else 2 if weight >= 2 else 3
    if prefix in SPECIAL_RANGES and not japanese:
        # Where ordinary calls are common, foreign evidence alone makes no tier 1.
        found = max(found, 2)
    return found


def years(sources):
    found = sorted({source["year"] for source in sources if source["year"]})
    return "-".join(dict.fromkeys([found[0], found[-1]])) if found else ""


def generate(folder):
    by_prefix = {}
    with open(folder / "risk" / "evidence.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            row["weight"] = int(row["weight"])
            for prefix in row["prefixes"].split():
                by_prefix.setdefault(prefix, []).append(row)
    nature = {prefix: least for least, prefixes in BY_NATURE.items() for prefix in prefixes.split()}
    lines = []
    for prefix in sorted(by_prefix.keys() | nature.keys()):
        sources = by_prefix.get(prefix, [])
        level = min([nature[prefix]] if prefix in nature else [3])
        if sources:
            level = min(level, tier(prefix, sources))
        ids = [source["id"] for source in sources] + (["CLASS"] if prefix in nature else [])
        scope = "special-ranges" if prefix in SPECIAL_RANGES else "whole"
        lines.append([prefix, level, scope, ";".join(ids), years(sources)])
    return csv_text(COLUMNS, lines)
