//! Rate decks as carriers and PBXs write them. All rows are made up.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

use proptest::prelude::*;
use tollwatch_numbering::{
    CalendarDate, DeckError, E164, ImportOptions, Imported, Money, RateBasis, RateDeck,
};

fn import(text: &str) -> Imported {
    RateDeck::import(text.as_bytes(), &ImportOptions::default()).unwrap()
}

fn problems(text: &str, options: &ImportOptions) -> Vec<String> {
    match RateDeck::import(text.as_bytes(), options) {
        Err(DeckError::Rows(problems)) => problems.iter().map(ToString::to_string).collect(),
        other => panic!("expected faulty rows, found {other:?}"),
    }
}

fn number(digits: &str) -> E164 {
    E164::from_digits(digits.as_bytes()).unwrap()
}

fn charge(deck: &RateDeck, digits: &str, seconds: u32) -> String {
    deck.rate(number(digits)).unwrap().charge(seconds).to_string()
}

#[test]
fn a_wholesale_deck_is_read_with_its_increments_and_its_fee() {
    let deck = import(
        "prefix,description,rate,interval1,intervalN,connect_fee,effective_date\n\
         224,Guinea,100,60,6,5,2026-01-01\n\
         22462,Guinea mobile,120,1,1,0,2026-01-01\n",
    )
    .deck;
    assert_eq!(charge(&deck, "224301234567", 61), "115.00");
    assert_eq!(charge(&deck, "224622123456", 30), "60.00");
    assert_eq!(deck.rate(number("225012345678")), None);
    assert_eq!(deck.rate(number("224622123456")).unwrap().basis, RateBasis::Deck);
}

#[test]
fn decks_of_pbx_products_are_read() {
    let yeastar = "Name,Match Prefix,Number Length,Rate,Billable Unit(s),Initial Time(s),Initial Cost\n\
        Guinea,00224,12,100,30,0,2\n";
    assert_eq!(charge(&import(yeastar).deck, "224622123456", 31), "102.00");
    let a2billing =
        "dialprefix;destination;rateinitial;initblock;billingblock;connectcharge\n224;Guinea;0,60;30;6;0\n";
    assert_eq!(charge(&import(a2billing).deck, "224622123456", 31), "0.36");
    let ivozprovider = "\"Target Pattern Name\",\"Prefix\",\"Per minute charge\",\"Connection charge\",\"Charge period\"\n\
        \"Guinea\",\"+224\",\"0.600\",\"0\",\"1\"\n";
    assert_eq!(charge(&import(ivozprovider).deck, "224622123456", 31), "0.31");
    let city_codes = "Destination\tCountry code\tCity codes\tRate/min\tIncrements\tCurrency\n\
        UK mobile\t44\t74-75, 77\t0.30\t60/1\tEUR\nUK\t44\t\t0.02\t1/1\tEUR\n";
    let imported = import(city_codes);
    assert_eq!(imported.currency.as_deref(), Some("EUR"));
    assert_eq!(charge(&imported.deck, "447512345678", 61), "0.31");
    assert_eq!(charge(&imported.deck, "442079460000", 60), "0.02");
    assert_eq!(charge(&imported.deck, "447612345678", 60), "0.02");
}

#[test]
fn a_japanese_spreadsheet_in_shift_jis_is_read_below_its_title() {
    let text = "国際通話料金表,,\n国・地域,国番号,料金（円/分）\nギニア,２２４,１００円\nアメリカ,1,9円\n";
    let bytes = encoding_rs::SHIFT_JIS.encode(text).0;
    let deck = RateDeck::import(&bytes, &ImportOptions::default()).unwrap().deck;
    assert_eq!(charge(&deck, "224622123456", 61), "200.00", "without increments a minute is billed in full");
    assert_eq!(charge(&deck, "12125551234", 1), "9.00");
}

#[test]
fn decimal_commas_are_told_from_thousands() {
    let deck = import("prefix;rate\n224;1.200,50\n232;0,175\n1;0,016\n").deck;
    assert_eq!(charge(&deck, "224622123456", 60), "1200.50");
    assert_eq!(charge(&deck, "23276123456", 6000), "17.50");
}

#[test]
fn the_newest_rate_that_is_in_force_counts() {
    let text = "prefix,rate,effective_date,end_date\n\
        224,100,2026-01-01,\n224,120,2026-06-01,\n224,150,2026-12-01,\n224,80,2025-01-01,\n232,10,2020-01-01,2020-12-31\n";
    let rate_on = |day: Option<CalendarDate>| {
        let options = ImportOptions { effective_on: day, ..ImportOptions::default() };
        let imported = RateDeck::import(text.as_bytes(), &options).unwrap();
        assert!(imported.warnings.is_empty(), "{:?}", imported.warnings);
        (charge(&imported.deck, "224622123456", 60), imported.deck.rate(number("23276123456")).is_some())
    };
    assert_eq!(rate_on(CalendarDate::new(2026, 7, 1)), ("120.00".to_owned(), false));
    assert_eq!(rate_on(CalendarDate::new(2026, 5, 31)), ("100.00".to_owned(), false));
    assert_eq!(rate_on(None), ("150.00".to_owned(), true));
}

#[test]
fn of_equal_prefixes_the_last_one_counts_and_the_operator_hears_of_it() {
    let imported = import("prefix,rate\n224,100\n+224,110\n");
    assert_eq!(charge(&imported.deck, "224622123456", 60), "110.00");
    assert_eq!(imported.warnings.len(), 1);
    assert_eq!(
        imported.warnings[0].to_string(),
        "line 3: prefix 224 is in line 2 already (the last one counts)"
    );
}

#[test]
fn a_prefix_of_no_country_is_pointed_out() {
    let imported = import("prefix,rate\n224,100\n999,100\n");
    assert_eq!(imported.warnings.len(), 1);
    assert!(imported.warnings[0].problem.contains("999"));
}

#[test]
fn all_faults_of_a_deck_are_named_at_once_with_line_and_hint() {
    let text = "prefix,rate,increment,effective_date\n\
        224,100,60,2026-01-01\n8.82E+11,700,60,\nGuinea,100,60,\n232,a lot,60,\n233,-5,60,\n234,10,0,\n\
        235,10,60,01/02/2026\n,10,60,\n\n236,10,99999,\n";
    let found = problems(text, &ImportOptions::default());
    assert_eq!(found, problems(&text.replace('\n', "\r\n"), &ImportOptions::default()));
    let lines: Vec<&str> = found.iter().map(|problem| problem.split(':').next().unwrap()).collect();
    assert_eq!(
        lines,
        ["line 3", "line 4", "line 5", "line 6", "line 7", "line 8", "line 9", "line 11"],
        "{found:#?}"
    );
    assert!(found.iter().all(|problem| problem.contains('(')), "{found:#?}");
}

#[test]
fn a_file_that_is_no_deck_is_refused() {
    for text in ["", "224,100\n", "destination,rate\nGuinea,100\n", "{\"prefix\": 224}"] {
        assert_eq!(
            RateDeck::import(text.as_bytes(), &ImportOptions::default()).unwrap_err(),
            DeckError::NoHeader,
            "{text}"
        );
    }
    let only_header = RateDeck::import(b"prefix,rate\n", &ImportOptions::default()).unwrap_err();
    assert_eq!(only_header, DeckError::NoRates);
    let mixed = RateDeck::import(b"prefix,rate,currency\n224,1,EUR\n232,1,USD\n", &ImportOptions::default());
    assert_eq!(mixed.unwrap_err(), DeckError::Currencies("EUR".to_owned(), "USD".to_owned()));
}

/// A deck in euros from whose dearer rows the decimal comma has gone; one special range is truly dear.
const LOST_COMMAS: &str = "prefix,description,rate\n\
    224,Guinea,0.497\n22462,Guinea mobile,0.552\n22465,Guinea mobile,1100\n224721,Guinea special,1250\n\
    674,Nauru,1080\n378,San Marino,0.048\n378057,San Marino,0.051\n37877,San Marino special,6.971\n\
    1,USA,0.012\n81,Japan,0.038\n49,Germany,0.015\n33,France,0.014\n8816,Iridium,5808\n";

#[test]
fn rates_that_lost_their_decimal_point_are_pointed_out_with_the_likely_rate() {
    let imported = import(LOST_COMMAS);
    let warnings: Vec<String> = imported.warnings.iter().map(ToString::to_string).collect();
    let lines: Vec<u64> = imported.warnings.iter().map(|warning| warning.line).collect();
    assert_eq!(lines, [4, 5, 6, 14], "{warnings:#?}");
    for (warning, value, likely) in [
        (0, "1100.00", "1.1 is likely"),
        (1, "1250.00", "1.25 is likely"),
        (2, "1080.00", "1.08 is likely"),
        (3, "5808.00", "5.808 is likely"),
    ] {
        assert!(
            warnings[warning].contains(value) && warnings[warning].contains(likely),
            "{}",
            warnings[warning]
        );
    }
    assert!(
        imported.deck.default_rate().per_minute < Money::from_units(10),
        "no lost point sets the default"
    );
}

#[test]
fn a_strict_import_refuses_a_deck_with_lost_decimal_points() {
    let found = problems(LOST_COMMAS, &ImportOptions { strict: true, ..ImportOptions::default() });
    assert_eq!(found.len(), 4, "{found:#?}");
}

#[test]
fn a_deck_in_yen_without_any_decimals_is_checked_against_its_own_countries() {
    let imported = import("prefix,rate\n1,9\n44,12\n4420,14\n4470,1400\n232,175\n8816,700\n235,2500\n");
    let lines: Vec<u64> = imported.warnings.iter().map(|warning| warning.line).collect();
    assert_eq!(lines, [5, 8], "{:#?}", imported.warnings);
    assert!(imported.warnings[0].hint.contains("14 is likely"), "{:?}", imported.warnings[0]);
}

proptest! {
    #[test]
    fn no_bytes_make_the_import_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = RateDeck::import(&bytes, &ImportOptions::default());
    }

    #[test]
    fn no_rows_make_the_import_panic(
        header in prop::sample::select(vec![
            "prefix,rate", "country code;city codes;rate;increments", "prefix\trate\tinterval1\tintervaln\tconnect fee\teffective date",
        ]),
        rows in prop::collection::vec("[0-9+,;./\t\" eE\u{a5}\u{ff10}-]{0,30}", 0..20),
        strict in any::<bool>(),
    ) {
        let text = format!("{header}\n{}", rows.join("\n"));
        let options = ImportOptions { strict, effective_on: CalendarDate::new(2026, 7, 1), ..ImportOptions::default() };
        if let Ok(imported) = RateDeck::import(text.as_bytes(), &options) {
            for rate in imported.deck.rates() {
                prop_assert!(!rate.prefix.is_empty() && rate.per_minute >= Money::ZERO && rate.next_increment > 0);
            }
        }
    }

    #[test]
    fn a_clean_deck_is_read_as_it_was_written(
        rows in prop::collection::btree_map("[1-9][0-9]{0,7}", (0_i64..2_000_000_000, 0_u32..120, 1_u32..120), 1..40),
    ) {
        let mut text = "prefix,rate_per_minute,first_increment,next_increment\n".to_owned();
        for (prefix, (micros, first, next)) in &rows {
            let (units, fraction) = (micros / 1_000_000, micros % 1_000_000);
            text = format!("{text}{prefix},{units}.{fraction:06},{first},{next}\n");
        }
        let deck = RateDeck::import(text.as_bytes(), &ImportOptions::default()).unwrap().deck;
        prop_assert_eq!(deck.rates().len(), rows.len());
        for rate in deck.rates() {
            let (micros, first, next) = rows[&rate.prefix];
            prop_assert_eq!((rate.per_minute.micros(), rate.first_increment, rate.next_increment), (micros, first, next));
        }
    }
}

#[test]
fn a_deck_is_as_new_as_the_newest_rate_in_force() {
    let text = "prefix,rate,effective date\n224,1,2024-02-29\n232,1,2025-07-01\n232,2,2027-01-01\n237,1,\n";
    let newest = |effective_on| {
        let options = ImportOptions { effective_on, ..ImportOptions::default() };
        let deck = RateDeck::import(text.as_bytes(), &options).unwrap().deck;
        deck.newest().map(|day| day.to_string())
    };
    assert_eq!(newest(CalendarDate::new(2026, 11, 27)).as_deref(), Some("2025-07-01"));
    assert_eq!(newest(None).as_deref(), Some("2027-01-01"));
    assert_eq!(import("prefix,rate\n224,1\n").deck.newest(), None);
}
