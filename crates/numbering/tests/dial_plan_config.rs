//! Dial plans as operators write them: defaults, mistakes, peers.

use tollwatch_numbering::{CalledClass, DialPlan, Form, PeerKind, RawDialPlan};

fn list(entries: &[&str]) -> Vec<String> {
    entries.iter().map(|&entry| entry.to_owned()).collect()
}

#[test]
fn the_default_plan_is_japan() {
    let plan = DialPlan::new(RawDialPlan::default()).expect("a valid plan");
    assert_eq!(plan.country_code(), 81);
    assert_eq!(plan.normalise(b"0355550100", Form::Dialled).class, CalledClass::National);
}

#[test]
fn every_mistake_is_reported_at_once_with_its_key_and_a_hint() {
    let errors = DialPlan::new(RawDialPlan {
        country: "Japan".to_owned(),
        outside_prefixes: Some(list(&["0", "", "+9"])),
        international_prefixes: Some(list(&["0102246221234"])),
        area_code: Some("03".to_owned()),
        extension_digits_max: 9,
        trunk_peers: list(&["ok*", "*x", "shared"]),
        extension_peers: list(&["", "shared"]),
        ..RawDialPlan::default()
    })
    .expect_err("an invalid plan");
    let keys: Vec<_> = errors.iter().map(|error| error.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "country",
            "outside_prefixes[1]",
            "outside_prefixes[2]",
            "international_prefixes[0]",
            "area_code",
            "extension_digits_max",
            "trunk_peers[1]",
            "extension_peers[0]",
            "trunk_peers[2]",
        ]
    );
    assert!(errors.iter().all(|error| !error.hint().is_empty() && error.to_string().starts_with(&error.key)));
}

#[test]
fn a_plan_without_outside_line_reads_the_number_as_it_stands() {
    let plan = DialPlan::new(RawDialPlan {
        country: "DE".to_owned(),
        outside_prefixes: Some(Vec::new()),
        ..RawDialPlan::default()
    })
    .expect("a valid plan");
    let called = plan.normalise(b"0014155550101", Form::Dialled);
    assert_eq!(called.number.map(|number| number.to_string()).as_deref(), Some("+14155550101"));
}

#[test]
fn a_carrier_prefix_may_leave_digits_open() {
    let plan = DialPlan::new(RawDialPlan {
        country: "US".to_owned(),
        carrier_prefixes: Some(list(&["101xxxx"])),
        ..RawDialPlan::default()
    })
    .expect("a valid plan");
    let called = plan.normalise(b"91010288011224622123456", Form::Dialled);
    assert_eq!(called.number.map(|number| number.to_string()).as_deref(), Some("+224622123456"));
    assert_eq!(called.reading.to_string(), "outside line 9, carrier 1010288, exit code 011");
}

#[test]
fn long_extensions_and_other_emergency_numbers_are_the_operators_choice() {
    let plan = DialPlan::new(RawDialPlan {
        extension_digits_max: 8,
        emergency: Some(list(&["110", "911"])),
        ..RawDialPlan::default()
    })
    .expect("a valid plan");
    assert_eq!(plan.normalise(b"81012001", Form::Dialled).class, CalledClass::Extension);
    assert_eq!(plan.normalise(b"911", Form::Dialled).class, CalledClass::Emergency);
    assert_eq!(plan.normalise(b"119", Form::Dialled).class, CalledClass::Extension);
}

#[test]
fn a_peer_is_what_the_lists_say_and_then_what_its_digits_say() {
    let plan = DialPlan::new(RawDialPlan {
        trunk_peers: list(&["trunk*", "0120"]),
        extension_peers: list(&["alice", "trunk-lobby"]),
        ..RawDialPlan::default()
    })
    .expect("a valid plan");
    for (name, kind) in [
        ("105", PeerKind::Extension),
        ("100105", PeerKind::Extension),
        ("trunk", PeerKind::Trunk),
        ("TRUNK-ntt", PeerKind::Trunk),
        ("trunk-lobby", PeerKind::Extension),
        ("0120", PeerKind::Trunk),
        ("0312345678", PeerKind::Trunk),
        ("alice", PeerKind::Extension),
        ("bob", PeerKind::Unknown),
        ("", PeerKind::Unknown),
        ("10５", PeerKind::Unknown),
    ] {
        assert_eq!(plan.is_extension_peer(name.as_bytes()), kind, "{name}");
    }
}
