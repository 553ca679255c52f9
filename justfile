# Each line is a command that works without `just` too; ./scripts/test runs what CI runs.

default:
    @just --list --unsorted

# what CI runs, after installing what is missing
test:
    ./scripts/test

# the bundled case with the release binary
demo:
    ./scripts/demo

fmt:
    cargo fmt

lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo deny --locked check bans licenses sources

# 5 million rows: CPU time of a scan beside that of the csv crate counting them
bench:
    benches/run.sh

# one decoder on any bytes (needs cargo-fuzz): just fuzz asterisk_cel_csv 300
fuzz target="asterisk_cdr_csv" seconds="60":
    RUSTC_BOOTSTRAP=1 cargo fuzz run {{target}} -- -max_total_time={{seconds}} -dict=fuzz/asterisk.dict

# lines of the pure crates that no test runs (installs LLVM's tools)
coverage:
    ./scripts/coverage

docs:
    cargo doc --workspace --no-deps --locked

# Attacks and innocent traffic against the embedded rules
scenario:
    cargo test --package tollwatch --test tollwatch scenarios
