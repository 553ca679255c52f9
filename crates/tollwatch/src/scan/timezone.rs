//! `timezone = "auto"`: the zone of a file by its own first records.
use super::tally::{Counting, Tally};
use crate::zones;
use tollwatch_cdr::{Decoder, Format, OffsetCheck, Record, Untold, Zone};
use tollwatch_source::Block;

/// The zone of the records in a file's first block; none if no zone matters, since no civil time is written.
///
/// It is the one zone of the country whose clock the records show. If the country has several such zones that
/// differ at other times, or none, it is the offset that the records show, as long as they show one only.
pub(super) fn of_records(format: Format, block: Block<'_>, country: &str) -> Result<Option<Zone>, Untold> {
    let check = |zone| {
        let mut decoder = Decoder::new(format, zone);
        let mut sink =
            Counting { tally: &mut Tally::default(), quarantine: None, take: &mut |_: &Record<'_>| {} };
        decoder.decode(block.bytes, block.last, &mut sink);
        decoder.offset_check()
    };
    let fits = |zone: &Zone| matches!(check(*zone), OffsetCheck::Agrees { .. });
    let observed = match check(Zone::UTC) {
        OffsetCheck::Unknown { why: Untold::NoCivilTimes, .. } => return Ok(None),
        OffsetCheck::Unknown { why: Untold::Tied, .. } => None,
        OffsetCheck::Unknown { why, .. } => return Err(why),
        OffsetCheck::Agrees { .. } => Some(Zone::UTC),
        OffsetCheck::Contradicts { observed, .. } => Zone::parse(&observed.to_string()).ok(),
    };
    let of_country = zones::the_one_of(zones::of_country(country).filter(fits));
    of_country.or(observed.filter(fits)).map(Some).ok_or(Untold::Tied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollwatch_cdr::EventTime;

    /// Rows of calls at these instants, by the clock of `zone`, with or without an id.
    fn found(country: &str, zone: &str, instants: &[i64], with_id: bool) -> Result<Option<String>, Untold> {
        let zone = Zone::parse(zone).unwrap();
        let rows: Vec<String> = instants
            .iter()
            .map(|&at| {
                let instant = EventTime::from_seconds(at);
                let civil = instant.plus_seconds(zone.offset_at(instant)).to_string();
                let civil = civil.replace('T', " ").replace('Z', "");
                let id = if with_id { format!(",\"{at}.0\",\"\"") } else { String::new() };
                format!(
                    "\"\",\"105\",\"0355550100\",\"x\",\"105\",\"PJSIP/105-1\",\"PJSIP/trunk-1\",\"Dial\",\"\",\
                     \"{civil}\",,\"{civil}\",0,0,\"NO ANSWER\",\"DOCUMENTATION\"{id}\n"
                )
            })
            .collect();
        let rows = rows.concat();
        let block = Block { bytes: rows.as_bytes(), last: true };
        of_records(Format::parse("asterisk_cdr_csv").unwrap(), block, country)
            .map(|zone| zone.map(|zone| zone.to_string()))
    }

    const WINTER: i64 = 1_768_000_000;
    const SUMMER: i64 = 1_784_000_000;
    fn hour(from: i64) -> Vec<i64> {
        (from..).step_by(60).take(60).collect()
    }

    #[test]
    fn the_countrys_one_zone_is_taken_where_it_fits_and_the_plain_offset_elsewhere() {
        for (country, zone, from, expected) in [
            ("JP", "Asia/Tokyo", WINTER, "Asia/Tokyo"),
            ("JP", "UTC", WINTER, "UTC"),
            ("JP", "Europe/Berlin", SUMMER, "+02:00"),
            ("NP", "Asia/Kathmandu", WINTER, "Asia/Kathmandu"),
            ("DE", "Europe/Berlin", SUMMER, "Europe/Berlin"),
            ("US", "America/New_York", WINTER, "America/New_York"),
            // Denver and Phoenix show the same in winter.
            ("US", "America/Phoenix", WINTER, "-07:00"),
            ("AU", "Australia/Lord_Howe", WINTER, "+11:00"),
        ] {
            let found = found(country, zone, &hour(from), true);
            assert_eq!(found, Ok(Some(expected.to_owned())), "{country} {zone}");
        }
    }

    #[test]
    fn records_of_half_a_year_decide_between_zones_that_share_an_offset() {
        let both = [hour(WINTER), hour(SUMMER)].concat();
        assert_eq!(found("US", "America/Phoenix", &both, true), Ok(Some("America/Phoenix".to_owned())));
        assert_eq!(found("US", "America/Denver", &both, true), Ok(Some("America/Denver".to_owned())));
        // Two offsets, and no zone of the country has them.
        assert_eq!(found("JP", "America/Denver", &both, true), Err(Untold::Tied));
    }

    #[test]
    fn records_that_do_not_tell_their_zone_are_refused_with_the_reason() {
        assert_eq!(found("JP", "Asia/Tokyo", &hour(WINTER), false), Err(Untold::NoEpochs));
        assert_eq!(found("JP", "Asia/Tokyo", &[WINTER, WINTER + 60], true), Err(Untold::TooFewRows));
        assert_eq!(found("JP", "Asia/Tokyo", &[], true), Ok(None));
    }
}
