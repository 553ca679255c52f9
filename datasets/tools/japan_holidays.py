"""holidays/jp.csv: the national holidays of Japan, to check those that the program computes."""

from datetime import date

import holidays

from destinations import csv_text

FIRST_YEAR, LAST_YEAR = 2000, 2099


def generate():
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    names_ja = holidays.JP(years=years, language="ja")
    names_en = holidays.JP(years=years, language="en_US")
    rows = []
    for day in sorted(names_en):
        assert isinstance(day, date)
        rows.append([day.isoformat(), names_ja[day], names_en[day]])
    return csv_text(["date", "name_ja", "name_en"], rows)
