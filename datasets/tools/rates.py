"""indicative-jpy.csv: the order of magnitude of what a call from Japan costs."""

import csv

from destinations import csv_text

COLUMNS = [
    "prefix",
    "description",
    "rate_per_minute",
    "first_increment",
    "next_increment",
    "connection_fee",
    "effective_date",
    "basis",
]
EFFECTIVE = "2026-07-01"
TIER_1 = 175
PREMIUM = 250
NETWORKS = 700


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def longest(table, prefix):
    return next((table[prefix[:end]] for end in range(len(prefix), 0, -1) if prefix[:end] in table), None)


def rate_of(row, zones, risk):
    """Rate and basis of a destination. The codes of a zone's countries are ISO 3166-1; services of +1 go with the USA."""
    if row["kind"] == "satellite" or row["prefix"].startswith(("878", "882", "883", "979")):
        return str(NETWORKS), "list: Hikari Denwa, satellite 700" if row["kind"] == "satellite" else "assumed as satellite"
    zone = zones.get(row["iso2"] or "US")
    rate, basis = zone["rate"], f"zone {zone['zone']}; {zone['basis']}"
    entry = longest(risk, row["prefix"])
    counts = entry and (entry["scope"] == "whole" or row["class"] in ("premium", "shared"))
    if counts and entry["tier"] == "1" and int(rate) < TIER_1:
        rate, basis = str(TIER_1), "assumed: tier 1"
    if row["class"] == "premium" and row["iso2"] != "JP" and int(rate) < PREMIUM:
        rate, basis = str(PREMIUM), "assumed: premium numbers abroad"
    return rate, basis


def generate(folder, destinations_text, risk_text):
    """The rows whose rate is not that of the prefix above, from the two other tables, zones.csv and points.csv."""
    zones = {}
    for zone in read(folder / "rates" / "zones.csv"):
        for region in zone["regions"].split():
            assert region not in zones, f"{region} is in two zones"
            zones[region] = zone
    risk = {row["prefix"]: row for row in csv.DictReader(risk_text.splitlines())}
    points = {row["prefix"]: row for row in read(folder / "rates" / "points.csv")}
    deck = {}
    for prefix, point in points.items():
        increments = point["first_increment"], point["next_increment"]
        deck[prefix] = [prefix, point["description"], point["rate_per_minute"], *increments, "0", EFFECTIVE, point["basis"]]
    for row in csv.DictReader(destinations_text.splitlines()):
        prefix = row["prefix"]
        if longest(points, prefix):
            continue
        rate, basis = rate_of(row, zones, risk)
        above = longest(deck, prefix[:-1])
        if above is None or above[2] != rate:
            special = f" ({row['class']})" if row["class"] in ("premium", "shared") else ""
            deck[prefix] = [prefix, row["name_en"] + special, rate, "60", "60", "0", EFFECTIVE, basis]
    return csv_text(COLUMNS, [deck[prefix] for prefix in sorted(deck)])
