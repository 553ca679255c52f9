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

docs:
    cargo doc --workspace --no-deps --locked
