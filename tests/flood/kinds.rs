//! One kind of flood at a time: with twice as much of it the state is no larger, and a counter tells of it.
use super::{BEGIN, Call, FLOOD, GUINEA, engine};
use tollwatch_detect::{Counters, Engine};

/// Calls of a flood, several times what is kept.
const MANY: u64 = 8_000;

/// A rule for one kind of scope.
fn rule(scope: &str, more: &str) -> String {
    format!(
        "[[rules]]\nname = \"flooded\"\nscope = \"{scope}\"\n{more}\nmeasure = \"attempts\"\n\
         destinations = \"high_risk\"\nthresholds = [{{ window = \"24h\", warning = 5, critical = 1000 }}]\n"
    )
}

/// A call from outside that rings a telephone.
pub(super) fn random_caller(i: u64, serial: u64, at: i64) -> Call {
    let calling = format!("{:012}", i.wrapping_mul(7919) % 1_000_000_000_000);
    Call { to: "200".to_owned(), calling, from_outside: true, ..Call::out("trunk", "200", serial, at) }
}

/// Four calls a second.
fn flooded(rules: &str, calls: u64, call: impl Fn(u64, i64) -> Call) -> Engine {
    let mut engine = engine(rules);
    for i in 0..calls {
        call(i, BEGIN + i as i64 / 4).observe(&mut engine);
    }
    engine
}

/// Holds a flood of some kind to its bound.
fn is_bounded(rules: &str, counted: impl Fn(&Counters) -> u64, call: impl Fn(u64, i64) -> Call) {
    let mut engine = flooded(rules, MANY, &call);
    let once = engine.snapshot().unwrap().len();
    let twice = flooded(rules, 2 * MANY, &call).snapshot().unwrap().len();
    // The state breathes: generations turn, and keys go by the quarter.
    assert!(
        twice < once + once / 2 && twice < 2_000_000,
        "{once} bytes, and {twice} of a flood twice as long"
    );
    engine.finish();
    let counters = engine.counters();
    assert!(counted(&counters) > 0, "{counters:?}");
}

#[test]
fn random_caller_ids_are_forgotten_and_counted() {
    is_bounded("", |c| c.records_forgotten_early, |i, at| random_caller(i, i, at));
}

#[test]
fn invented_extensions_are_let_go_and_counted() {
    let extension = |i: u64| format!("{}", 300_000 + i);
    is_bounded("", |c| c.keys_let_go / (MANY - 1000), |i, at| Call::out(&extension(i), GUINEA, i, at));
}

#[test]
fn random_numbers_called_by_a_real_extension_are_let_go_and_counted() {
    let dialled = |i: u64| format!("010224655{i:06}");
    is_bounded("", |c| c.legs_forgotten_early, |i, at| Call::out("105", &dialled(i), i, at));
    let of_number = rule("called_number", "");
    is_bounded(&of_number, |c| c.keys_let_go, |i, at| Call::out("105", &dialled(i), i, at));
}

#[test]
fn keys_over_all_tenants_are_let_go_and_counted() {
    let across = rule("called_number", "cross_tenant = true");
    let dialled = |i: u64| format!("010224655{i:06}");
    is_bounded(&across, |c| c.keys_let_go / (MANY - 1000), |i, at| Call::out("105", &dialled(i), i, at));
}

#[test]
fn calls_of_many_keys_below_the_limit_of_keys_are_let_go_and_counted() {
    // 800 extensions with 25 calls each.
    let extension = |i: u64| format!("{}", 300_000 + i % 800);
    is_bounded("", |c| c.keys_let_go, |i, at| Call::out(&extension(i), GUINEA, i, at));
}

#[test]
fn invented_trunks_are_not_learned_and_counted() {
    let out = |i: u64, at| Call { to: format!("gateway-{i}"), ..Call::out("200", GUINEA, i, at) };
    is_bounded("", |c| c.trunks_not_learned / (MANY - 1000), out);
    is_bounded(&rule("trunk", ""), |c| c.keys_let_go / (MANY - 1000), out);
    // Nobody is known to have dialled: the calls stand under their trunk, once they have waited.
    let unattributed = |i: u64, at| Call { from: "Local".to_owned(), ..out(i, at) };
    is_bounded("", |c| c.keys_let_go / (MANY - 1000), unattributed);
}

#[test]
fn invented_accounts_are_let_go_and_counted() {
    let call = |i: u64, at| Call { account: format!("customer-{i}"), ..Call::out("200", GUINEA, i, at) };
    is_bounded(&rule("account", ""), |c| c.keys_let_go / (MANY - 1000), call);
}

#[test]
fn invented_channels_and_call_ids_are_forgotten_and_counted() {
    // At home, so that nothing else is kept of them.
    let call = |i: u64, at| Call { id: format!("{i}.{i}"), ..Call::out("200", "0355550100", i, at) };
    is_bounded("", |c| c.legs_forgotten_early, call);
}

#[test]
fn invented_tenants_are_turned_away_and_counted() {
    let call = |i: u64, at| Call { tenant: format!("customer-{i}"), ..Call::out("200", GUINEA, i, at) };
    is_bounded("", |c| c.tenants_turned_away / (MANY - 50), call);
    let mut engine = flooded("", MANY, call);
    assert_eq!(engine.tenants(), 50);
    let known = engine.named_tenant(b"customer-7");
    assert_eq!(known, Some(engine.tenant("customer-7")), "who came before the flood stays");
}

#[test]
fn names_of_any_length_take_no_more_than_short_ones() {
    let long = "9".repeat(60_000);
    let rules = rule("account", "");
    let call = |i: u64, at| Call {
        to: format!("{i}{long}"),
        id: format!("{i}{long}"),
        account: format!("{i}{long}"),
        tenant: format!("{}{long}", i % 10),
        ..Call::out(&format!("{i}{long}"), GUINEA, i, at)
    };
    let bytes = flooded(&rules, 200, call).snapshot().unwrap().len();
    assert!(bytes < 500_000, "{bytes}");
}

#[test]
fn calls_that_wait_are_given_up_early_in_a_crowd_and_none_is_lost() {
    const CROWD: u64 = 12_000;
    // All within one second, so that none is given up for its time.
    let waiting = |i: u64, _| Call { from: "Local".to_owned(), ..Call::out("", GUINEA, i, BEGIN) };
    let mut engine = flooded("", CROWD, waiting);
    let counters = engine.counters();
    assert_eq!((counters.waited_too_many, counters.watched), (CROWD - 10_001, CROWD - 10_001));
    assert_eq!(counters.unattributed, counters.watched, "they stand under their trunk");
    engine.finish();
    let counters = engine.counters();
    assert_eq!((counters.watched, counters.unattributed), (CROWD, CROWD));
    assert!(engine.incidents().iter().any(|incident| &*incident.scope.value == "trunk"));
}

#[test]
fn what_is_told_of_a_call_that_waits_is_bounded() {
    // Rows of one leg, over and over.
    let call = |i: u64, _| {
        let mut call = Call { from: "Local".to_owned(), ..Call::out("", GUINEA, 0, BEGIN) };
        call.seconds = 30 + (i % 2) as u32;
        call
    };
    let mut engine = engine("");
    let mut largest = 0;
    for i in 0..FLOOD {
        call(i, BEGIN).observe_as(&mut engine, i);
        if i % 2000 == 0 {
            largest = largest.max(engine.snapshot().unwrap().len());
        }
    }
    assert!(largest < 600_000, "{largest}");
    assert_eq!((engine.counters().waited_too_many, engine.counters().watched), (1, 1));
}
