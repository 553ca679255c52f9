//! The rows of the flood, and of the attack in it.
use std::io::Write as _;

/// Who attacks.
pub(crate) const ATTACKER: &str = "105";
/// The night of the flood, in seconds: Saturday 14 March 2026 from 20:00 in Tokyo.
const NIGHT: u64 = 4 * 3600;
/// From an hour into the night on, for an hour and a half, a call every twelve seconds.
const ATTACK: std::ops::Range<u64> = 3600..9000;
const ATTACK_EVERY: u64 = 12;

/// High-risk ranges and others, as they are dialled in Japan.
const ABROAD: [&str; 6] = ["010224655", "01053", "0103712", "0101212555", "0104420794", "01086108"];

/// Rows in the order of their ends, spread evenly over the night.
pub(crate) struct Rows {
    callers: u64,
    extensions: u64,
    written: [u64; 3],
    second: u64,
    random: u64,
}

impl Rows {
    pub(crate) fn new(callers: u64, extensions: u64) -> Self {
        Self { callers, extensions, written: [0; 3], second: 0, random: 0x9e37_79b9_7f4a_7c15 }
    }

    /// Appends a row to `block`; false once there is none.
    pub(crate) fn write_next(&mut self, block: &mut Vec<u8>) -> bool {
        while self.second < NIGHT {
            // So many are due by the end of this second.
            let due = |of: u64| of * (self.second + 1) / NIGHT;
            let attacks = (ATTACK.contains(&self.second) && self.second.is_multiple_of(ATTACK_EVERY))
                .then_some(1 + (self.second - ATTACK.start) / ATTACK_EVERY);
            let [callers, extensions, attacked] = self.written;
            if attacks.is_some_and(|due| attacked < due) {
                self.written[2] += 1;
                self.attack(block, attacked);
                return true;
            }
            if extensions < due(self.extensions) {
                self.written[1] += 1;
                self.invented_extension(block, extensions);
                return true;
            }
            if callers < due(self.callers) {
                self.written[0] += 1;
                self.random_caller(block, callers);
                return true;
            }
            self.second += 1;
            if self.second == NIGHT {
                // Both runs end at the same time, so that what is over by then is over in both.
                self.random_caller(block, u64::MAX >> 32);
                return true;
            }
        }
        false
    }

    fn attack(&self, block: &mut Vec<u8>, call: u64) {
        let dialled = format!("010224655{:06}", 500_000 + call % 7);
        self.row(block, "a", call, [ATTACKER, ATTACKER, "trunk"], &dialled, Some(150));
    }

    /// Half of them are answered; half of them go abroad, to where it is expensive and where it is not.
    fn invented_extension(&mut self, block: &mut Vec<u8>, call: u64) {
        let random = self.random();
        let extension = format!("{:06}", call % 1_000_000);
        let number = random >> 40;
        let dialled = match ABROAD.get(random as usize % (2 * ABROAD.len())) {
            Some(prefix) => format!("{prefix}{:06}", number % 1_000_000),
            None => format!("03{:08}", 30_000_000 + number % 60_000_000),
        };
        let talked = (random >> 20).is_multiple_of(2).then_some((random >> 21) % 120);
        self.row(block, "e", call, [&extension, &extension, "trunk"], &dialled, talked);
    }

    fn random_caller(&mut self, block: &mut Vec<u8>, call: u64) {
        let random = self.random();
        let caller = format!("{:012}", random % 1_000_000_000_000);
        let phone = format!("{}", 200 + (random >> 50) % 40);
        self.row(block, "c", call, [&caller, "trunk", &phone], &phone, Some((random >> 56) % 60));
    }

    /// Who calls, from which peer to which, what they dialled, and the seconds that they talked if they did.
    fn row(
        &self,
        block: &mut Vec<u8>,
        kind: &str,
        call: u64,
        [calling, from, to]: [&str; 3],
        dialled: &str,
        talked: Option<u64>,
    ) {
        let context = if from == "trunk" { "from-trunk" } else { "from-internal" };
        let data = if to == "trunk" { format!("PJSIP/{dialled}@trunk,60") } else { format!("PJSIP/{to},30") };
        // Three seconds of ringing, and all is over at the end of this second.
        let length = 3 + talked.unwrap_or(20);
        let (started, ended) = (72_000 + self.second - length, 72_000 + self.second);
        let answered = talked.map_or_else(String::new, |_| format!("\"{}\"", time(started + 3)));
        let disposition = if talked.is_some() { "ANSWERED" } else { "NO ANSWER" };
        // Writing to a vector does not fail.
        let _ = writeln!(
            block,
            "\"\",\"{calling}\",\"{dialled}\",\"{context}\",\"\"\"{calling}\"\" <{calling}>\",\
             \"PJSIP/{from}-{kind}{call:08x}\",\"PJSIP/{to}-{kind}{call:08x}f\",\"Dial\",\"{data}\",\
             \"{}\",{answered},\"{}\",{length},{},\"{disposition}\",\"DOCUMENTATION\",\"{kind}.{call}\",\"\"",
            time(started),
            time(ended),
            talked.unwrap_or(0),
        );
    }

    fn random(&mut self) -> u64 {
        // SplitMix64.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Local time of the PBX, by the seconds since midnight.
fn time(seconds: u64) -> String {
    let (day, second) = (14 + seconds / 86_400, seconds % 86_400);
    format!("2026-03-{day} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}
