//! The bundled tables: destinations, risk and the indicative rates.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests are tests

use proptest::prelude::*;
use std::sync::LazyLock;
use tollwatch_numbering::{
    Destination, DestinationClass, DestinationKind, Destinations, E164, ImportOptions, Money, RateBasis,
    RateDeck,
};

static TABLE: LazyLock<Destinations> = LazyLock::new(|| Destinations::bundled().unwrap());
static DECK: LazyLock<RateDeck> = LazyLock::new(|| RateDeck::bundled().unwrap());

fn number(digits: &str) -> E164 {
    E164::from_digits(digits.as_bytes()).unwrap()
}

fn destination(digits: &str) -> &'static Destination {
    TABLE.get(TABLE.lookup(number(digits)).unwrap())
}

fn per_minute(digits: &str) -> String {
    DECK.rate(number(digits)).unwrap().per_minute.to_string()
}

#[test]
fn countries_of_the_japanese_cases_are_tier_1() {
    for (digits, iso2) in [
        ("224622123456", "GN"),
        ("23276123456", "SL"),
        ("237612345678", "CM"),
        ("2399812345", "ST"),
        ("245955123456", "GW"),
        ("252612345678", "SO"),
        ("67077212345", "TL"),
    ] {
        let found = destination(digits);
        assert_eq!((found.iso2.as_str(), found.tier), (iso2, Some(1)), "{digits}");
        assert!(found.risk_sources.split(';').any(|source| source == "SB"), "{digits}");
    }
}

#[test]
fn a_range_that_was_never_allocated_belongs_to_its_country() {
    let found = destination("224999123456");
    assert_eq!((found.iso2.as_str(), found.prefix.as_str(), found.tier), ("GN", "224", Some(1)));
}

#[test]
fn parts_of_a_shared_country_code_are_told_apart() {
    for (digits, iso2) in [
        ("12125551234", "US"),
        ("14165551234", "CA"),
        ("17672251234", "DM"),
        ("18765551234", "JM"),
        ("441534123456", "JE"),
        ("442079460000", "GB"),
        ("390669812345", "VA"),
        ("390612345678", "IT"),
        ("77012345678", "KZ"),
        ("74951234567", "RU"),
        ("78401234567", "GE"),
        ("3581812345", "AX"),
        ("5993181234", "BQ"),
    ] {
        assert_eq!(destination(digits).iso2, iso2, "{digits}");
    }
}

#[test]
fn satellites_and_premium_codes_of_no_country_are_tier_1() {
    for (digits, name, kind) in [
        ("882161234567", "Thuraya", DestinationKind::Satellite),
        ("881612345678", "Iridium", DestinationKind::Satellite),
        ("870773112345", "Inmarsat", DestinationKind::Satellite),
        ("979112345678", "International premium rate", DestinationKind::Premium),
        ("882991234567", "Aircraft networks", DestinationKind::Global),
    ] {
        let found = destination(digits);
        assert_eq!((found.name_en.as_str(), found.kind, found.tier), (name, kind, Some(1)), "{digits}");
        assert_eq!(found.iso2, "", "{digits}");
    }
    assert!(destination("979112345678").is_premium() && destination("882161234567").is_satellite());
}

#[test]
fn in_a_country_with_cheap_ordinary_calls_the_tier_is_for_special_numbers_only() {
    let ordinary = destination("37167123456");
    assert_eq!((ordinary.iso2.as_str(), ordinary.tier, ordinary.tier_special), ("LV", None, Some(1)));
    let premium = destination("37190123456");
    assert_eq!(
        (premium.iso2.as_str(), premium.tier, premium.class),
        ("LV", Some(1), DestinationClass::Premium)
    );
    assert_eq!(ordinary.country(), premium.country());
}

#[test]
fn services_at_home_have_their_class() {
    for (digits, class) in [
        ("81312345678", DestinationClass::Other),
        ("819012345678", DestinationClass::Other),
        ("81120123456", DestinationClass::TollFree),
        ("818001234567", DestinationClass::TollFree),
        ("81570123456", DestinationClass::Shared),
        ("81990123456", DestinationClass::Premium),
    ] {
        let found = destination(digits);
        assert_eq!((found.iso2.as_str(), found.class, found.tier), ("JP", class, None), "{digits}");
    }
}

#[test]
fn every_row_has_its_names_and_rows_of_one_country_share_its_id() {
    let mut countries = std::collections::BTreeMap::new();
    for (id, row) in TABLE.iter() {
        assert!(!row.name_en.is_empty() && !row.name_ja.is_empty(), "{}", row.prefix);
        assert!(row.name_en.is_ascii() || row.iso2.len() == 2, "{}", row.prefix);
        assert_eq!(TABLE.get(id).prefix, row.prefix);
        if !row.iso2.is_empty() {
            assert_eq!(*countries.entry(row.iso2.as_str()).or_insert(row.country()), row.country());
        }
    }
    assert!((1000..5000).contains(&TABLE.len()), "{}", TABLE.len());
    assert!(countries.len() > 240, "{}", countries.len());
    assert_ne!(destination("881612345678").country(), destination("882161234567").country());
}

#[test]
fn an_overlay_overrides_tiers_and_keeps_ids() {
    let overlay = [("224", None), ("22462", Some(2)), ("44", Some(3)), ("371", Some(1))];
    let table = TABLE.with_overlay(&overlay).unwrap();
    let tier = |digits: &str| table.get(table.lookup(number(digits)).unwrap()).tier;
    assert_eq!(tier("224721234567"), None);
    assert_eq!(tier("224622123456"), Some(2));
    assert_eq!(tier("442079460000"), Some(3));
    assert_eq!(tier("37167123456"), Some(1), "an operator's tier counts for ordinary numbers too");
    assert_eq!(tier("23276123456"), Some(1), "what the overlay does not name stays");
    for (id, row) in TABLE.iter() {
        assert_eq!(
            (table.get(id).prefix.as_str(), table.get(id).country()),
            (row.prefix.as_str(), row.country())
        );
    }
    let errors =
        TABLE.with_overlay(&[("", Some(1)), ("22a", None), ("224", Some(4)), ("999", Some(1))]).unwrap_err();
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(TABLE.with_overlay(&[("999", Some(1))]).is_err(), "no country code begins 999");
}

#[test]
fn a_broken_table_names_every_broken_line() {
    let destinations = "prefix,iso2,name_en,name_ja,kind,class\n\
        224,GN,Guinea,ギニア,geographic,other\n\
        x,GN,Guinea,ギニア,geographic,other\n\
        224,GN,Guinea,ギニア,geographic,other\n\
        225,CI,,,geographic,other\n\
        226,BF,Burkina Faso,ブルキナファソ,moon,other\n\
        227,NE\n";
    let risk = "prefix,tier,scope,sources,year\n224,1,whole,SB,\n232,4,whole,SB,\n233,1,half,SB,\n";
    let lines: Vec<String> =
        Destinations::new(destinations, risk).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), 7, "{lines:#?}");
    for place in
        ["destinations.csv line 3", "destinations.csv line 4", "destinations.csv line 5", "risk.csv line 4"]
    {
        assert!(lines.iter().any(|line| line.starts_with(place)), "{place}: {lines:#?}");
    }
    assert!(Destinations::new("prefix\n224\n", risk).is_err());
}

#[test]
fn the_indicative_deck_has_the_anchors_of_its_sources() {
    for (digits, rate) in [
        ("23276123456", "175.00"),
        ("12125551234", "9.00"),
        ("23566123456", "250.00"),
        ("882161234567", "700.00"),
        ("224622123456", "175.00"),
        ("819012345678", "17.60"),
        ("81120123456", "0.00"),
    ] {
        assert_eq!(per_minute(digits), rate, "{digits}");
    }
    let home = DECK.rate(number("81312345678")).unwrap();
    assert_eq!(home.charge(1).to_string(), "8.00");
    assert_eq!(home.charge(181).to_string(), "16.00");
    assert_eq!(DECK.default_rate().per_minute, Money::from_units(250));
}

#[test]
fn the_indicative_deck_has_a_rate_for_every_destination_and_no_warning() {
    for (_, row) in TABLE.iter() {
        let digits = format!("{:0<10}", row.prefix);
        let rate = DECK.rate(number(&digits)).unwrap();
        assert_eq!(rate.basis, RateBasis::Indicative);
        if row.tier == Some(1) {
            assert!(rate.per_minute >= Money::from_units(175), "{}", row.prefix);
        }
    }
    let text = include_str!("../../../datasets/rates/indicative-jpy.csv");
    let warnings = RateDeck::import(text.as_bytes(), &ImportOptions::default()).unwrap().warnings;
    assert!(warnings.is_empty(), "{warnings:#?}");
}

fn slow_lookup(digits: &str) -> Option<&'static str> {
    TABLE
        .iter()
        .map(|(_, row)| row.prefix.as_str())
        .filter(|prefix| digits.starts_with(prefix))
        .max_by_key(|prefix| prefix.len())
}

#[test]
fn every_row_is_found_by_its_own_prefix() {
    for (id, row) in TABLE.iter() {
        for fill in ["0", "5", "9"] {
            let digits = format!("{}{}", row.prefix, fill.repeat(15 - row.prefix.len()));
            let found = TABLE.lookup(number(&digits)).unwrap();
            assert_eq!(Some(TABLE.get(found).prefix.as_str()), slow_lookup(&digits), "{digits}");
            assert!(TABLE.get(found).prefix.len() >= TABLE.get(id).prefix.len());
        }
    }
}

proptest! {
    #[test]
    fn the_lookup_agrees_with_trying_every_prefix(
        row in any::<prop::sample::Index>(), cut in 0_usize..4, tail in "[0-9]{15}", length in 7_usize..=15,
    ) {
        // Near a row of the table, or anywhere.
        let (_, row) = TABLE.iter().nth(row.index(TABLE.len())).unwrap();
        let kept = row.prefix.len().saturating_sub(cut);
        let digits = format!("{}{tail}", &row.prefix[..kept]);
        let digits = &digits[..length];
        if let Some(number) = E164::from_digits(digits.as_bytes()) {
            let found = TABLE.lookup(number).map(|id| TABLE.get(id).prefix.as_str());
            prop_assert_eq!(found, slow_lookup(digits), "{}", digits);
        }
    }
}

#[test]
fn the_data_is_of_the_days_that_its_sources_say() {
    let made = |text: &str| {
        let (_, after) = text.split_once("**Made** ").unwrap();
        after.chars().take_while(|c| c.is_ascii_digit() || *c == '-').collect::<String>()
    };
    assert_eq!(Destinations::risk_of(), made(include_str!("../../../datasets/risk/SOURCE.md")));
    let deck = include_str!("../../../datasets/rates/indicative-jpy.csv");
    let newest = DECK.newest().unwrap().to_string();
    assert!(deck.contains(&newest) && newest.len() == 10, "{newest}");
}
