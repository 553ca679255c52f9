"""destinations.csv: who has a prefix, and who pays for calls to it."""

import csv
import io

import phonenumbers
from babel import Locale

from prefix_classes import all_prefixes

COLUMNS = ["prefix", "iso2", "name_en", "name_ja", "kind", "class"]
# Names shorter or more usual in this field than those of CLDR; English ones in ASCII, which every pager shows.
ENGLISH = {
    "AX": "Aland Islands",
    "BL": "Saint Barthelemy",
    "CD": "Congo (DR)",
    "CG": "Congo (Republic)",
    "CI": "Cote d'Ivoire",
    "CW": "Curacao",
    "HK": "Hong Kong",
    "MM": "Myanmar",
    "MO": "Macao",
    "PS": "Palestine",
    "RE": "Reunion",
    "ST": "Sao Tome and Principe",
    "TR": "Turkey",
}
JAPANESE = {
    "AC": "アセンション島",
    "CD": "コンゴ民主共和国",
    "CG": "コンゴ共和国",
    "GB": "英国",
    "HK": "香港",
    "IM": "マン島",
    "LY": "リビア",
    "MM": "ミャンマー",
    "MO": "マカオ",
    "SX": "シント・マールテン",
    "TA": "トリスタンダクーニャ",
    "TL": "東ティモール",
    "US": "米国",
    "VA": "バチカン市国",
}
# +81 0: the numbers of Japanese carriers that can only be dialled in Japan; they have no E.164 form.
LEFT_OUT = {"810"}


def names(region):
    english = ENGLISH.get(region) or Locale("en").territories[region]
    return english, JAPANESE.get(region) or Locale("ja").territories[region]


def rows(folder):
    """The rows by prefix: what libphonenumber tells, and over it what additions.csv says."""
    table = {}
    for prefix, (region, label) in all_prefixes().items():
        if region != "001" and prefix not in LEFT_OUT:
            kind = "nanp" if prefix.startswith("1") else "geographic"
            table[prefix] = [prefix, region, *names(region), kind, label]
    with open(folder / "destinations" / "additions.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            english, japanese = (row["name_en"], row["name_ja"]) if row["name_en"] else names(row["iso2"])
            table[row["prefix"]] = [row["prefix"], row["iso2"], english, japanese, row["kind"], row["class"]]
    assert all(str(code) in table for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
    return [table[prefix] for prefix in sorted(table)]


def csv_text(columns, lines):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(lines)
    return out.getvalue()


def generate(folder):
    return csv_text(COLUMNS, rows(folder))
