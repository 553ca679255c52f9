//! The process as it is, with a call to the system failing once: those that `crates/store` makes by itself too, as renames.
use super::killed::{configuration, differing, undisturbed};
use super::{Receiver, Running};
use std::fs;
use tollwatch_simulate::{Kind, Scenario, write_cdr_csv};

/// Calls, by strace's name for them; of so many of them one fails, and up to which.
const CALLS: [(&str, usize, usize); 5] =
    [("/^rename", 1, 8), ("fsync", 1, 8), ("ftruncate", 1, 8), ("fdatasync", 2, 24), ("pwrite64", 9, 90)];

#[test]
fn whichever_call_to_the_system_fails_once_the_service_tells_the_same_in_the_end() {
    let case = Scenario::new(11).extensions(3).days(1).attack(Kind::Burst).build().unwrap();
    let mut rows = Vec::new();
    write_cdr_csv(&case, &mut rows).unwrap();
    let expected = undisturbed(&[rows.clone()]);
    let mut failures = 0;
    for (calls, step, most) in CALLS {
        for nth in (1..most).step_by(step) {
            let receiver = Receiver::start(0, 1);
            let running = Running::prepare(&configuration(&receiver));
            fs::write(running.path("Master.csv"), &rows).unwrap();
            let Some((status, failed)) = running.run_with_fault(calls, nth) else {
                eprintln!("nothing was tested: strace is not there, or may not trace");
                return;
            };
            if failed == 0 {
                // There are no more of them.
                break;
            }
            failures += failed;
            if status != Some(0) {
                // It said what was wrong, and is started again.
                assert!(!running.log().is_empty());
                assert_eq!(running.run_until_dry(), Some(0), "{calls} {nth}: {}", running.log());
            }
            let differing = differing(&receiver.received(), &expected);
            assert!(differing.is_empty(), "{calls} {nth}: {}\n{}", differing.join("\n"), running.log());
        }
    }
    assert!(failures >= 15, "only {failures} calls failed");
}
