//! The engine by calls of our own: against an oracle, and out of order.
mod alone;
mod oracle;
mod shuffled;
mod told;

use std::sync::{Arc, LazyLock};
use tollwatch::{RawConfig, default_text};
use tollwatch_cdr::{CallEvent, CallEventKind, Cdr, EventTime, Identity, Leg, Outcome, Party, Record};
use tollwatch_detect::{Detection, Engine, Observed, RawRule, Settings, TenantId};
use tollwatch_numbering::{Destinations, DialPlan, RateDeck};

/// Saturday 14 March 2026, 10:00 in Tokyo: nobody is in the office all day.
pub(crate) const SATURDAY: i64 = 1_773_450_000;
pub(crate) const DAY: i64 = 86_400;

pub(crate) const GUINEA: &str = "010224655500001";
pub(crate) const SIERRA_LEONE: &str = "010232221234567";
pub(crate) const NEW_YORK: &str = "01012125550100";
pub(crate) const HOME: &str = "0355550100";

/// A call over a trunk, from `start` for `seconds`; with no billable seconds nobody answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) serial: u64,
    pub(crate) start: i64,
    pub(crate) seconds: i64,
    pub(crate) billable: u32,
    pub(crate) extension: &'a str,
    pub(crate) trunk: &'a str,
    pub(crate) dialled: &'a str,
    pub(crate) account: &'a str,
    pub(crate) source_address: &'a str,
}

/// What is told of a call, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    Started,
    Answered,
    Ended,
    Cdr,
}

/// A call of 32 seconds by 105 to Guinea; `serial` names its channels.
pub(crate) fn call(serial: u64, start: i64) -> Call<'static> {
    Call {
        serial,
        start,
        seconds: 32,
        billable: 30,
        extension: "105",
        trunk: "trunk",
        dialled: GUINEA,
        account: "",
        source_address: "",
    }
}

impl Call<'_> {
    /// Event time at which a record of that kind comes.
    pub(crate) fn known_at(&self, telling: Telling) -> i64 {
        match telling {
            Telling::Started => self.start,
            Telling::Answered => self.start + self.seconds - i64::from(self.billable),
            Telling::Ended | Telling::Cdr => self.start + self.seconds,
        }
    }

    /// Gives the engine a record of the call.
    pub(crate) fn tell(&self, telling: Telling, engine: &mut Engine, tenant: TenantId) -> Observed {
        let (near, far) = (format!("PJSIP/{}-{:08x}", self.extension, self.serial), self.far());
        let origin = Leg { id: near.as_bytes(), party: Party::Peer(self.extension.as_bytes()) };
        let target = Leg { id: far.as_bytes(), party: Party::Peer(self.trunk.as_bytes()) };
        let at = EventTime::from_seconds(self.known_at(telling));
        let call_id = self.serial.to_string();
        let event = |kind| {
            Record::CallEvent(CallEvent { at, target, call_id: call_id.as_bytes(), tenant: b"", kind })
        };
        let outcome = if self.billable > 0 { Outcome::Answered } else { Outcome::NoAnswer };
        let record = match telling {
            Telling::Started => event(CallEventKind::Started {
                origin,
                dialled: self.dialled.as_bytes(),
                sent: b"",
                rang: b"",
                from_outside: false,
                account: self.account.as_bytes(),
                source_address: self.source_address.as_bytes(),
            }),
            Telling::Answered => event(CallEventKind::Answered),
            Telling::Ended => event(CallEventKind::Ended { outcome }),
            Telling::Cdr => Record::Cdr(Cdr {
                account: self.account.as_bytes(),
                source_address: self.source_address.as_bytes(),
                ..self.row(origin, target, call_id.as_bytes())
            }),
        };
        engine.observe(tenant, 0, &record)
    }

    fn far(&self) -> String {
        format!("PJSIP/{}-{:08x}", self.trunk, self.serial)
    }

    fn row<'r>(&'r self, origin: Leg<'r>, target: Leg<'r>, call_id: &'r [u8]) -> Cdr<'r> {
        let answered_at = self.known_at(Telling::Answered);
        Cdr {
            started_at: EventTime::from_seconds(self.start),
            answered_at: (self.billable > 0).then(|| EventTime::from_seconds(answered_at)),
            ended_at: EventTime::from_seconds(self.start + self.seconds),
            billable_seconds: self.billable,
            outcome: if self.billable > 0 { Outcome::Answered } else { Outcome::NoAnswer },
            calling: b"",
            dialled: self.dialled.as_bytes(),
            sent: b"",
            rang: b"",
            origin,
            target,
            from_outside: false,
            call_id,
            account: b"",
            source_address: b"",
            tenant: b"",
            identity: Identity::OfRecord(self.serial * 4),
            length_unknown: false,
        }
    }

    /// The two rows of a call from outside that the extension forwards: that it was called, and that its forwarding
    /// went out.
    pub(crate) fn tell_forwarded(&self, second_first: bool, engine: &mut Engine, tenant: TenantId) {
        let (inside, far) = (format!("Local/{}@from-internal-{:08x}", self.dialled, self.serial), self.far());
        let half = Leg { id: inside.as_bytes(), party: Party::Internal };
        let incoming = format!("PJSIP/trunk-{:08x}", self.serial + (1 << 31));
        let caller = Leg { id: incoming.as_bytes(), party: Party::Peer(b"trunk") };
        let target = Leg { id: far.as_bytes(), party: Party::Peer(self.trunk.as_bytes()) };
        let called = Cdr {
            dialled: self.extension.as_bytes(),
            rang: self.extension.as_bytes(),
            from_outside: true,
            identity: Identity::OfRecord(self.serial * 4 + 1),
            ..self.row(caller, half, b"")
        };
        let mut rows = [called, self.row(half, target, b"")];
        if second_first {
            rows.reverse();
        }
        for row in rows {
            engine.observe(tenant, 0, &Record::Cdr(row));
        }
    }
}

/// What all rules of a property are tried with, read once.
static PARTS: LazyLock<(RawConfig, DialPlan, Arc<Destinations>, Arc<RateDeck>)> = LazyLock::new(|| {
    let mut raw: RawConfig = toml::from_str(default_text()).unwrap();
    // Countries are new from the first record on, and no storm speaks for incidents.
    raw.detection.learning_days = 0;
    raw.detection.storm_extensions = 100_000;
    let plan = DialPlan::new(raw.dial_plan.clone()).unwrap();
    (raw, plan, Arc::new(Destinations::bundled().unwrap()), Arc::new(RateDeck::bundled().unwrap()))
});

/// The embedded settings with other rules, no learning and no storms.
pub(crate) fn settings_with(rules: &[RawRule]) -> Settings {
    let (raw, plan, destinations, deck) = &*PARTS;
    let detection = Detection {
        raw: &raw.detection,
        limits: raw.limits,
        home_country: "JP",
        business_hours: &raw.business_hours,
        timezone: "Asia/Tokyo",
        allow: &[],
        rules,
    };
    Settings::new(&detection, plan.clone(), Arc::clone(destinations), Arc::clone(deck), "JPY").unwrap()
}
