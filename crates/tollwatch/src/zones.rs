//! The time zones of countries.
use tollwatch_cdr::{EventTime, Zone};

/// Country and zone, the most important zone of a country first.
const ZONES: &str = include_str!("../../../datasets/zones/zones.csv");
/// From 2020 to 2037, half a day at a time.
const COMPARED: std::ops::Range<i64> = 1_577_836_800..2_114_380_800;
const STEP: usize = 43_200;

/// The zones of a country, by its ISO 3166 code.
pub(crate) fn of_country(country: &str) -> impl Iterator<Item = Zone> {
    ZONES
        .lines()
        .filter_map(|line| line.split_once(','))
        .filter(move |(of, _)| *of == country)
        .filter_map(|(_, name)| Zone::parse(name).ok())
}

/// The first of the zones, if the clocks of all of them show the same in our days.
pub(crate) fn the_one_of(mut zones: impl Iterator<Item = Zone>) -> Option<Zone> {
    let first = zones.next()?;
    let alike = |zone: Zone| {
        COMPARED
            .step_by(STEP)
            .map(EventTime::from_seconds)
            .all(|at| zone.offset_at(at) == first.offset_at(at))
    };
    zones.all(alike).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_of_the_list_is_one() {
        let mut rows = 0;
        for (country, name) in ZONES.lines().skip(1).map(|line| line.split_once(',').unwrap()) {
            assert!(country.len() == 2 && Zone::parse(name).is_ok(), "{country} {name}");
            rows += 1;
        }
        assert!(rows > 400);
    }

    #[test]
    fn a_country_has_one_zone_if_all_its_clocks_show_the_same() {
        for (country, zone) in [
            ("JP", Some("Asia/Tokyo")),
            ("DE", Some("Europe/Berlin")),
            ("NP", Some("Asia/Kathmandu")),
            ("US", None),
            ("CN", None),
            ("XX", None),
        ] {
            let found = the_one_of(of_country(country)).map(|zone| zone.to_string());
            assert_eq!(found.as_deref(), zone, "{country}");
        }
    }
}
