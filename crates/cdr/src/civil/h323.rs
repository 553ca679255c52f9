//! Times as H.323 gateways write them: `*03:00:18.250 UTC Sun Mar 8 2026`.
use super::month_of;
use crate::zone::{Choice, LocalClock, Reading};

/// A civil time, and its offset from UTC if its zone says that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct H323 {
    /// `YYYY-MM-DD HH:MM:SS`
    pub(super) iso: [u8; 19],
    pub(super) offset: Option<i64>,
}

impl H323 {
    /// A mark in front says that the clock is not (`*`) or no longer (`.`) set by a time server: the time is the
    /// gateway's best all the same. The fraction is passed over.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = text.strip_prefix(b"*").or_else(|| text.strip_prefix(b".")).unwrap_or(text);
        let mut words = text.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
        let (time, zone, _weekday) = (words.next()?, words.next()?, words.next()?);
        let (month, day, year) = (month_of(words.next()?)?, number(words.next()?, 2)?, words.next()?);
        let time = time.split(|&byte| byte == b'.').next()?;
        let mut parts = time.split(|&byte| byte == b':').map(|part| number(part, 2));
        let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
        if words.next().is_some() || parts.next().is_some() || year.len() != 4 {
            return None;
        }
        let year = number(year, 4)?;
        let mut iso = *b"0000-00-00 00:00:00";
        let pairs = [year / 100, year % 100, month, day, hour, minute, second];
        for (at, value) in [0, 2, 5, 8, 11, 14, 17].into_iter().zip(pairs) {
            for (place, digit) in [(at, value / 10), (at + 1, value % 10)] {
                *iso.get_mut(place)? = b'0' + u8::try_from(digit).ok()?;
            }
        }
        Some(Self { iso, offset: offset_of(zone) })
    }

    pub(super) fn read(&self, clock: &mut LocalClock, choice: &dyn Fn() -> Choice) -> Option<(i64, Reading)> {
        match self.offset {
            Some(offset) => {
                let mut utc = LocalClock::new(crate::Zone::UTC);
                let (at, _) = utc.read(&self.iso, || Choice::NotBefore(None))?;
                Some((at - offset, Reading::Plain))
            }
            None => clock.read(&self.iso, choice),
        }
    }
}

fn number(text: &[u8], digits: usize) -> Option<u32> {
    let fits = (1..=digits).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    fits.then(|| text.iter().fold(0, |value, byte| value * 10 + u32::from(byte - b'0')))
}

/// Seconds east of UTC. Other names of zones (`EST`, `JST`) mean several and are the site's own.
fn offset_of(zone: &[u8]) -> Option<i64> {
    let rest = zone.strip_prefix(b"UTC").or_else(|| zone.strip_prefix(b"GMT"))?;
    let (sign, hours) = match rest {
        [] => return Some(0),
        [b'+', hours @ ..] => (1, hours),
        [b'-', hours @ ..] => (-1, hours),
        _ => return None,
    };
    number(hours, 2).filter(|&hours| hours <= 14).map(|hours| sign * 3600 * i64::from(hours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_in_the_text_counts_where_it_means_one_offset_and_else_the_sources_does() {
        let mut clock = LocalClock::new(crate::Zone::parse("Asia/Tokyo").unwrap());
        let mut read = |text: &str| {
            let time = H323::parse(text.as_bytes())?;
            time.read(&mut clock, &|| Choice::NotBefore(None)).map(|(at, _)| at)
        };
        for text in [
            "09:05:00.250 UTC Sun Mar 8 2026",
            "*09:05:00.250 UTC Sun Mar 8 2026",
            ".9:05:00 GMT Sun Mar 08 2026",
            "13:05:00.000 GMT+4 Sun Mar 8 2026",
            "04:05:00.000 UTC-5 Sun Mar 8 2026",
            "18:05:00.001 JST Sun Mar 8 2026",
            "18:05:00.001 JST Sun MAR  8 2026",
        ] {
            assert_eq!(read(text), Some(1_772_960_700), "{text}");
        }
        for text in [
            "",
            "*",
            "09:05:00.250 UTC Sun Mar 8",
            "09:05:00.250 Sun Mar 8 2026",
            "09:05 UTC Sun Mar 8 2026",
            "25:05:00 UTC Sun Mar 8 2026",
            "09:05:00 UTC Sun Feb 30 2026",
            "09:05:00 UTC Sun Mar 8 26",
            "09:05:00 UTC Sun Mar 8 2026 x",
            "09:05:00:00 UTC Sun Mar 8 2026",
            "**09:05:00 UTC Sun Mar 8 2026",
            "０9:05:00 UTC Sun Mar 8 2026",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
