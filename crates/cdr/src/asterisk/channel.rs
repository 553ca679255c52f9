//! Channel names and dial strings of Asterisk: whose channel it is, and what was sent to the trunk.
use crate::{Leg, Party};
use memchr::{memchr, memchr2, memrchr};
use wide::i8x16;

/// Asterisk's CDR engine cuts `lastdata` at this many bytes.
const LASTDATA_MAX: usize = 79;

/// Technologies have names up to this length.
const SHORT_WORD: usize = 8;

/// The leg a channel name stands for: `PJSIP/105-00000006` is a channel of the peer `105`,
/// `Local/102@ctx-00000000;1` one half of a diversion inside the PBX.
pub(crate) fn leg(channel: &[u8]) -> Leg<'_> {
    let id = strip_mark(channel);
    if id.is_empty() {
        return Leg { id, party: Party::None };
    }
    if is_local(id) {
        let id = id.strip_suffix(b";1").or_else(|| id.strip_suffix(b";2")).unwrap_or(id);
        return Leg { id, party: Party::Internal };
    }
    // A channel moved by the manager interface keeps its own name behind this word.
    let named = id.strip_prefix(b"AsyncGoto/").unwrap_or(id);
    // The technology is a short word: looked for byte by byte it is found before a search has begun.
    let slash = named.iter().take(SHORT_WORD).position(|&byte| byte == b'/');
    let (technology, name) = match slash.and_then(|at| Some((named.get(..at)?, named.get(at + 1..)?))) {
        Some(parts) => parts,
        None => split(named, b'/').unwrap_or((b"", named)),
    };
    let peer = without_serial(name);
    // `DAHDI/i1/0355550100-1`: the number is part of the channel's name, the span is the peer.
    let peer = if matches!(technology, [b'D' | b'd', ..]) && technology.eq_ignore_ascii_case(b"DAHDI") {
        split(peer, b'/').map_or(peer, |(span, _)| span)
    } else {
        peer
    };
    Leg { id, party: Party::Peer(peer) }
}

/// The number that `target` was sent, by the dial string `data` (`PJSIP/00442079460006@trunk,12,T`); empty
/// where the dial string shows none. Never any part of a secret.
///
/// A dial string may send several numbers to one trunk, and a call record does not tell which of them a
/// channel was for: then it is the longest, since a number abroad is longer than one at home. Where the record
/// names no target, it is the first number sent anywhere.
pub(crate) fn sent<'a>(data: &'a [u8], target: Leg<'_>) -> &'a [u8] {
    let peer = match target.party {
        Party::Peer(peer) => peer,
        Party::None => {
            let mut outside = dialled_targets(data).filter(|dialled| !dialled.number.is_empty());
            return outside.next().map_or(b"", |dialled| dialled.number);
        }
        Party::Internal => return b"",
    };
    if let Some(only) = only_target(data) {
        return if only.is_to(peer) || !only.number.is_empty() { only.number } else { cut_off(data, only) };
    }
    let (mut first, mut longest) = (None, None::<&[u8]>);
    for dialled in dialled_targets(data) {
        if dialled.is_to(peer) && longest.is_none_or(|number| dialled.number.len() > number.len()) {
            longest = Some(dialled.number);
        }
        first.get_or_insert(dialled);
    }
    if let Some(longest) = longest {
        return longest;
    }
    let Some(first) = first else { return b"" };
    if first.number.is_empty() { cut_off(data, first) } else { first.number }
}

/// A number so long that the trunk's name was cut off behind it.
fn cut_off<'a>(data: &[u8], first: Dialled<'a>) -> &'a [u8] {
    if data.len() >= LASTDATA_MAX && !data.contains(&b',') { number(first.peer) } else { b"" }
}

/// The phone that diverted its caller to the internal leg `target`, which it was rung by the dial string
/// `data` (`PJSIP/102,5,tT`) for; empty where that cannot be said. The dial string may name the leg itself, as
/// text that a caller smuggled into the number does, or it rings several, and the record does not say which
/// of them redirected the call.
pub(crate) fn rang<'a>(data: &'a [u8], target: Leg<'_>) -> &'a [u8] {
    // Nobody knows what was cut off.
    if data.len() >= LASTDATA_MAX && !data.contains(&b',') && !data.contains(&b'|') {
        return b"";
    }
    let mut phone = None;
    for dialled in dialled_targets(data) {
        if is_internal_of(target.id, dialled.text) {
            return b"";
        }
        if is_local(dialled.text) {
            continue;
        }
        // A phone with several contacts is dialled by each of them.
        if !dialled.number.is_empty() || *phone.get_or_insert(dialled.peer) != dialled.peer {
            return b"";
        }
    }
    phone.unwrap_or_default()
}

/// Whose follow-me the application's argument names (`101,s`).
pub(crate) fn followed(data: &[u8]) -> &[u8] {
    head(head(data, b','), b'|')
}

/// Whether a row's or event's application places calls by a dial string.
pub(crate) fn is_dial(application: &[u8]) -> bool {
    application.eq_ignore_ascii_case(b"Dial")
}

/// Whether an application calls the numbers that somebody has left for calls to follow them.
pub(crate) fn is_follow_me(application: &[u8]) -> bool {
    application.eq_ignore_ascii_case(b"FollowMe")
}

/// Whether an application connects channels that did not dial one another.
pub(crate) fn is_conference(application: &[u8]) -> bool {
    [&b"ConfBridge"[..], b"MeetMe", b"Konference"].iter().any(|name| application.eq_ignore_ascii_case(name))
}

/// Whether the dialplan context `context` is one of those that calls from outside come in by.
pub(crate) fn from_outside(context: &[u8]) -> bool {
    let Some(kind) = context.strip_prefix(b"from-") else { return context.starts_with(b"ext-did") };
    kind.starts_with(b"trunk")
        || kind.starts_with(b"pstn")
        || kind.starts_with(b"did")
        || kind.starts_with(b"zaptel")
        || kind.starts_with(b"dahdi")
        || kind.starts_with(b"iax")
        || kind.starts_with(b"external")
}

/// Whether `channel` (or dial target) is a `Local` one.
pub(crate) fn is_local(channel: &[u8]) -> bool {
    channel.starts_with(b"Local/")
}

/// `Local/102@context-0000001a` is a channel of the target `Local/102@context/n`.
pub(crate) fn is_internal_of(id: &[u8], dialled: &[u8]) -> bool {
    // `/n` and its like stand behind the second slash.
    let dialled = match dialled.iter().enumerate().filter(|(_, byte)| **byte == b'/').nth(1) {
        Some((slash, _)) => dialled.get(..slash).unwrap_or_default(),
        None => dialled,
    };
    is_local(dialled)
        && id.strip_prefix(dialled).is_some_and(|serial| {
            serial.strip_prefix(b"-").is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        })
}

/// One target of a dial string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialled<'a> {
    /// The target as written, without what follows the list of targets.
    pub(crate) text: &'a [u8],
    /// The peer's name; for `user:secret@host` the host.
    pub(crate) peer: &'a [u8],
    /// The user in `user:secret@host/number`, by which some drivers name their channels.
    user: &'a [u8],
    /// The number sent; empty if it is a phone.
    pub(crate) number: &'a [u8],
}

impl Dialled<'_> {
    /// Whether a channel of `peer` is this target's.
    pub(crate) fn is_to(&self, peer: &[u8]) -> bool {
        !peer.is_empty() && (self.peer == peer || self.user == peer)
    }
}

/// The targets of a dial string, in order: `A&B,30,options`. Old releases separate arguments by `|`.
pub(crate) fn dialled_targets(data: &[u8]) -> impl Iterator<Item = Dialled<'_>> {
    let end = memchr2(b',', b'|', data).unwrap_or(data.len());
    let list = data.get(..end).unwrap_or_default();
    list.split(|&byte| byte == b'&').filter_map(dialled_target)
}

/// Where the bytes stand that cut a dial string into its parts, one bit a byte; none if it is longer than most.
fn marks_of(data: &[u8]) -> Option<u64> {
    let mut bytes = [0; 48];
    bytes.get_mut(..data.len())?.copy_from_slice(data);
    let (parts, _) = bytes.as_chunks::<16>();
    let marks = parts.iter().zip([0, 16, 32]).map(|(part, shift)| {
        let part = i8x16::from(part.map(|byte| byte as i8));
        let is = |byte: u8| part.simd_eq(i8x16::splat(byte as i8));
        let any = is(b'/') | is(b'@') | is(b',') | is(b'|') | is(b'&') | is(b':');
        u64::from(any.to_bitmask() as u16) << shift
    });
    Some(marks.fold(0, |all, part| all | part))
}

/// The target of a dial string of the usual kind, `technology/number@peer` or `technology/peer` and options, read in one
/// pass; none of any other.
fn only_target(data: &[u8]) -> Option<Dialled<'_>> {
    let mut marks = marks_of(data)?;
    let mut next = || {
        let at = marks.trailing_zeros() as usize;
        marks &= marks.wrapping_sub(1);
        Some((at, *data.get(at)?))
    };
    let (slash, b'/') = next()? else { return None };
    let technology = data.get(..slash)?;
    if is_local(data) || technology.len() == 4 {
        // `IAX2` is read otherwise.
        return None;
    }
    let mut end = next();
    let at = end.filter(|(_, mark)| *mark == b'@').map(|(at, _)| at);
    if at.is_some() {
        end = next();
    }
    let end = match end {
        None => data.len(),
        Some((end, b',' | b'|')) => end,
        Some(_) => return None,
    };
    let text = data.get(..end)?;
    let (user, peer) = match at {
        Some(at) => (data.get(slash + 1..at)?, data.get(at + 1..end)?),
        None => (&b""[..], data.get(slash + 1..end)?),
    };
    let number = if user == peer { b"" } else { number(user) };
    Some(Dialled { text, peer, user, number })
}

/// `technology/peer`, `technology/peer/number`, `technology/number@peer`,
/// `technology/user:secret@host/number@context`, `PJSIP/peer/sip:number@host`.
fn dialled_target(text: &[u8]) -> Option<Dialled<'_>> {
    let (technology, rest) = split(text, b'/')?;
    if is_local(text) {
        return Some(Dialled { text, peer: rest, user: b"", number: b"" });
    }
    let (place, behind) = split(rest, b'/').map_or((rest, None), |(place, behind)| (place, Some(behind)));
    // A secret may hold an `@` itself: the host stands behind the last.
    let at = memrchr(b'@', place);
    let (user, host) = match at {
        Some(at) => (place.get(..at).unwrap_or_default(), place.get(at + 1..).unwrap_or_default()),
        None => (&b""[..], place),
    };
    let (user, peer) = (head(user, b':'), head(host, b':'));
    let digits = match behind {
        Some(behind) => {
            let uri =
                behind.strip_prefix(b"sip:").or_else(|| behind.strip_prefix(b"sips:")).unwrap_or(behind);
            head(head(uri, b'/'), b'@')
        }
        None if technology.eq_ignore_ascii_case(b"IAX2") => b"",
        None => user,
    };
    // The contact of a registered phone (`PJSIP/102/sip:102@192.0.2.7`) is no number sent to a trunk.
    let number = if digits == peer { b"" } else { number(digits) };
    Some(Dialled { text, peer, user, number })
}

/// `text` if it begins like a number, behind the pauses an analogue line is given; else empty.
fn number(text: &[u8]) -> &[u8] {
    let pauses = text.iter().take_while(|&&byte| byte == b'w').count();
    let text = text.get(pauses..).unwrap_or_default();
    match text.first() {
        Some(b'0'..=b'9' | b'+' | b'*' | b'#') => text,
        _ => b"",
    }
}

/// A channel that was swapped for another wears a mark behind its name.
fn strip_mark(channel: &[u8]) -> &[u8] {
    if channel.last() != Some(&b'>') {
        return channel;
    }
    channel.strip_suffix(b"<ZOMBIE>").or_else(|| channel.strip_suffix(b"<MASQ>")).unwrap_or(channel)
}

/// `name` without the serial number that Asterisk puts behind it (`-0000001a`, `-2044`). Names may hold
/// hyphens of their own.
fn without_serial(name: &[u8]) -> &[u8] {
    // Of the usual length, it is one look.
    if let Some((peer, [b'-', serial @ ..])) =
        name.len().checked_sub(9).and_then(|at| name.split_at_checked(at))
        && !peer.is_empty()
        && serial.first_chunk::<8>().is_some_and(|serial| are_hex_digits(*serial))
    {
        return peer;
    }
    let digits = name.iter().rev().take_while(|byte| byte.is_ascii_hexdigit()).count();
    match name.get(..name.len() - digits) {
        Some([peer @ .., b'-']) if digits > 0 && !peer.is_empty() => peer,
        _ => name,
    }
}

/// Whether eight bytes are hexadecimal digits, all at once.
fn are_hex_digits(text: [u8; 8]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let text = u64::from_le_bytes(text);
    // With the top bits gone no sum leaves its byte; a byte that had one is no digit.
    let low = text & (EACH * 0x7f);
    // The top bit of a byte is set in `no_digit` if it is above 9, in `no_letter` if it is not 1 to 6.
    let no_digit = (low ^ (EACH * 0x30)) + EACH * 0x76;
    let letter = (low | (EACH * 0x20)) ^ (EACH * 0x60);
    let no_letter = (letter + EACH * 0x79) | !(letter + EACH * 0x7f);
    (text | (no_digit & no_letter)) & (EACH * 0x80) == 0
}

fn split(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr(separator, text)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn head(text: &[u8], separator: u8) -> &[u8] {
    split(text, separator).map_or(text, |(head, _)| head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn peer(channel: &str) -> String {
        match leg(channel.as_bytes()).party {
            Party::Peer(name) => String::from_utf8_lossy(name).into_owned(),
            other => format!("{other:?}"),
        }
    }
    fn sent_text(data: &str, target: &str) -> String {
        String::from_utf8_lossy(sent(data.as_bytes(), leg(target.as_bytes()))).into_owned()
    }

    #[test]
    fn a_channel_belongs_to_the_peer_it_is_named_after() {
        assert_eq!(peer("PJSIP/105-00000006"), "105");
        assert_eq!(peer("PJSIP/head-office-0000001a"), "head-office");
        assert_eq!(peer("SIP/192.0.2.1-0000001a"), "192.0.2.1");
        assert_eq!(peer("IAX2/loop-2044"), "loop");
        assert_eq!(peer("DAHDI/i1/0355550100-1"), "i1");
        assert_eq!(peer("DAHDI/3-1"), "3");
        assert_eq!(peer("PJSIP/105-00000006<ZOMBIE>"), "105");
        assert_eq!(peer("AsyncGoto/PJSIP/105-00000006"), "105");
        assert_eq!(peer("PJSIP/café-line"), "café-line");
        assert_eq!(peer(""), "None");
    }

    #[test]
    fn both_halves_of_an_internal_leg_have_one_id() {
        let one = leg(b"Local/102@from-internal-00000000;1");
        assert_eq!(one, leg(b"Local/102@from-internal-00000000;2"));
        assert_eq!(one, Leg { id: b"Local/102@from-internal-00000000", party: Party::Internal });
    }

    #[test]
    fn the_number_sent_is_read_from_every_kind_of_dial_string() {
        let trunk = "PJSIP/trunk-00000003";
        assert_eq!(sent_text("PJSIP/00442079460006@trunk,12,T", trunk), "00442079460006");
        assert_eq!(sent_text("PJSIP/trunk/sip:0355550100@192.0.2.9:5060,12", trunk), "0355550100");
        assert_eq!(sent_text("PJSIP/trunk/sips:+81355550100@carrier.example", trunk), "+81355550100");
        assert_eq!(sent_text("SIP/trunk/0355550100,12,T", "SIP/trunk-00000001"), "0355550100");
        assert_eq!(sent_text("SIP/0355550100@trunk|12|T", "SIP/trunk-00000001"), "0355550100");
        assert_eq!(sent_text("DAHDI/g1/ww0355550100,60", "DAHDI/i1/0355550100-1"), "0355550100");
        assert_eq!(sent_text("DAHDI/g1/0355550100", "DAHDI/1-1"), "0355550100");
        assert_eq!(
            sent_text("PJSIP/0355550100;phone-context=+81@trunk", trunk),
            "0355550100;phone-context=+81"
        );
    }

    #[test]
    fn a_phone_is_sent_no_number() {
        assert_eq!(sent_text("PJSIP/102,5,tT", "PJSIP/102-00000001"), "");
        assert_eq!(sent_text("PJSIP/102/sip:102@192.0.2.7:5060,5", "PJSIP/102-00000001"), "");
        assert_eq!(sent_text("PJSIP/102/sip:x7gk2@192.0.2.7;transport=ws", "PJSIP/102-00000001"), "");
        assert_eq!(sent_text("Local/0022465@from-internal,30", "Local/0022465@from-internal-00000000;1"), "");
        assert_eq!(sent_text("(Outgoing Line)", "PJSIP/trunk-00000003"), "");
    }

    #[test]
    fn no_part_of_a_secret_is_ever_sent() {
        let target = "IAX2/loop-2044";
        assert_eq!(sent_text("IAX2/loop:12345@192.0.2.1/0355550106,12", target), "0355550106");
        assert_eq!(sent_text("IAX2/loop:12345@192.0.2.1/0355550106@ctx,12", target), "0355550106");
        assert_eq!(sent_text("IAX2/loop:12345@192.0.2.1,12", target), "");
        assert_eq!(sent_text("IAX2/loop:1@2@192.0.2.1,12", target), "");
        assert_eq!(sent_text("SIP/1001:99999@192.0.2.1/0355550106", "SIP/192.0.2.1-00000001"), "0355550106");
        assert_eq!(sent_text("SIP/1001:99999@192.0.2.1", "SIP/192.0.2.1-00000001"), "1001");
    }

    #[test]
    fn of_several_targets_the_one_the_channel_belongs_to_counts() {
        let data = "PJSIP/101&PJSIP/0355550100@alpha&SIP/beta/0455550100,20";
        assert_eq!(sent_text(data, "PJSIP/101-00000001"), "");
        assert_eq!(sent_text(data, "PJSIP/alpha-00000002"), "0355550100");
        assert_eq!(sent_text(data, "SIP/beta-00000003"), "0455550100");
        // Text that a caller smuggled into the dialled number.
        let injected = "SIP/trunk/0355550100&Local/102@from-internal,12,T";
        assert_eq!(sent_text(injected, "SIP/trunk-00000003"), "0355550100");
        assert_eq!(sent_text("PJSIP/0355550100@alpha", "PJSIP/unnamed-00000002"), "0355550100");
    }

    proptest! {
        #[test]
        fn one_target_read_in_one_pass_is_the_target_that_the_list_has(
            data in "(PJSIP|SIP|IAX2|DAHDI|Local|)/?[0-9wa-c@&:/,|+;.]{0,24}",
        ) {
            if let Some(only) = only_target(data.as_bytes()) {
                let all: Vec<Dialled<'_>> = dialled_targets(data.as_bytes()).collect();
                let parts = |dialled: &Dialled<'_>| {
                    [dialled.text, dialled.peer, dialled.user, dialled.number].map(<[u8]>::to_vec)
                };
                prop_assert_eq!(all.iter().map(parts).collect::<Vec<_>>(), vec![parts(&only)]);
            }
        }
    }

    #[test]
    fn hexadecimal_digits_are_known_wherever_they_stand() {
        for byte in 0..=u8::MAX {
            for at in 0..8 {
                let mut text = *b"0aF9f0A1";
                text[at] = byte;
                assert_eq!(are_hex_digits(text), byte.is_ascii_hexdigit(), "{byte} at {at}");
            }
        }
    }

    #[test]
    fn a_number_so_long_that_the_trunk_was_cut_off_is_still_read() {
        let data = format!("PJSIP/0022465550015{}", "1".repeat(60));
        assert_eq!(data.len(), 79);
        assert_eq!(sent_text(&data, "PJSIP/trunk-00000005"), &data[6..]);
        assert_eq!(sent_text(&data[..40], "PJSIP/trunk-00000005"), "");
    }

    #[test]
    fn of_two_numbers_sent_to_one_trunk_the_longest_counts() {
        let data = "PJSIP/0355550100@trunk&PJSIP/0022465550015@trunk,12";
        assert_eq!(sent_text(data, "PJSIP/trunk-00000002"), "0022465550015");
        assert_eq!(sent_text(data, "PJSIP/trunk-00000003"), "0022465550015");
    }

    #[test]
    fn without_a_target_the_first_number_sent_outside_counts() {
        assert_eq!(sent_text("PJSIP/101&PJSIP/0355550100@trunk,12", ""), "0355550100");
        assert_eq!(sent_text("PJSIP/109,5", ""), "");
        assert_eq!(sent_text("Local/0355550100@from-internal,30", ""), "");
    }

    #[test]
    fn the_phone_that_diverted_is_the_only_one_that_rang() {
        let abroad = b"Local/0022465550015@inside-00000004;1";
        let phone = |data: &str| String::from_utf8_lossy(rang(data.as_bytes(), leg(abroad))).into_owned();
        assert_eq!(phone("PJSIP/102,5,tT"), "102");
        assert_eq!(phone("PJSIP/102/sip:102@192.0.2.7,5"), "102");
        assert_eq!(phone("PJSIP/0355550100@trunk,12"), "");
        assert_eq!(phone("Local/102@from-internal,5"), "");
        assert_eq!(phone(""), "");
        assert_eq!(phone("PJSIP/102/sip:102@192.0.2.7&PJSIP/102/sip:102@192.0.2.8,5"), "102");
        assert_eq!(phone("PJSIP/102&PJSIP/0355550100@trunk,5"), "", "the carrier may have redirected it");
        assert_eq!(phone("PJSIP/101&PJSIP/102,5"), "", "which of the two redirected it?");
        assert_eq!(phone("PJSIP/102&Local/103@inside,5"), "102", "the other leg is another's");
        assert_eq!(phone("PJSIP/102&Local/0022465550015@inside,5"), "", "nobody redirected it");
        assert_eq!(phone("PJSIP/102&Local/0022465550015@inside/n,5"), "");
        let cut = format!("PJSIP/102&Local/{}", "1".repeat(70));
        assert_eq!(phone(&cut[..79]), "", "what was cut off may name the leg");
    }

    #[test]
    fn calls_from_outside_are_known_by_the_context_they_come_in_by() {
        assert!(from_outside(b"from-trunk-sip-carrier") && from_outside(b"ext-did-0001"));
        assert!(!from_outside(b"from-internal") && !from_outside(b"park-dial"));
    }
}
