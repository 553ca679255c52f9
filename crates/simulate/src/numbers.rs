//! Numbers to dial. Nothing here may reach a person.
//!
//! - Japanese fixed lines: the exchange, the digits after the area code, begins with 0, which Japan assigns to nobody
//!   (0 and 1 are prefixes there), while the shape is that of a fixed line: `03-0xxx-xxxx`, `06-0xxx-xxxx`, `045-0xx-xxxx`.
//! - Japanese mobiles: no unassigned block has a mobile's shape, so `090-1000-00xx` is only unlikely, not impossible.
//! - North America: 555-0100 to 555-0199, set aside for fiction. United Kingdom: 020 7946 0xxx and 0909 8790 xxx, set aside
//!   by Ofcom for drama.
//! - Japanese premium and shared-cost numbers: 0990 is out of service since 2014; `0570-19` is only unlikely.
//! - Elsewhere: ranges outside the national plan as libphonenumber has it, which is also where revenue share lives.

use crate::random::Random;

/// The number of a fax that looks premium and is allowed, from the country code on: Swiss 090, outside the plan.
pub const ALLOW_LISTED_FAX: &str = "41907000077";

/// The number of the office itself.
pub(crate) const DIRECT: &str = "0300000100";

/// What the dial plan sends to the carrier: one outside-line `0` before an international call is taken off.
pub(crate) fn sent(dialled: &str) -> &str {
    match dialled.strip_prefix('0') {
        Some(rest) if rest.starts_with("010") => rest,
        _ => dialled,
    }
}

/// A Japanese number that an office calls. Some of them much more often than others.
pub(crate) fn domestic(random: &mut Random) -> String {
    let line = random.below(40) * random.below(40) / 8;
    match random.weighted(&[40, 12, 10, 8, 30]) {
        0 => format!("030{:07}", 1000 + line),
        1 => format!("060{:07}", 2000 + line),
        2 => format!("0450{:06}", 3000 + line),
        3 => format!("0520{:06}", 4000 + line),
        _ => format!("0901000{:04}", line % 100),
    }
}

/// The caller id of somebody who calls the office; empty where it is withheld.
pub(crate) fn caller(random: &mut Random) -> String {
    if random.chance(60) { "anonymous".to_owned() } else { domestic(random) }
}

/// A business partner abroad, as dialled in Japan: the usual countries of a small company.
pub(crate) fn business_abroad(random: &mut Random) -> String {
    let line = random.below(6);
    match random.weighted(&[30, 20, 15, 10, 10, 15]) {
        0 => format!("010121255501{:02}", 10 + line),
        1 => format!("0108610000001{line:02}"),
        2 => format!("010822000001{line:02}"),
        3 => format!("01088621000010{line}"),
        4 => format!("010662000010{line}"),
        _ => format!("010442079460{:03}", 100 + line),
    }
}

/// Twenty numbers in three neighbouring ranges of Sierra Leone, where `41` is no part of the national plan. Without prefix.
pub(crate) fn sierra_leone(random: &mut Random) -> String {
    match random.below(20) {
        line @ 0..7 => format!("232410001{:02}", 1 + line),
        line @ 7..14 => format!("232410002{:02}", line - 6),
        line => format!("232410003{:02}", line - 13),
    }
}
