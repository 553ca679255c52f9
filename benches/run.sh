#!/usr/bin/env bash
# Compares `tollwatch scan` with reading the same file by the csv crate alone.
#
# Usage: benches/run.sh [--append]      --append adds the table to benches/RESULTS.md
# ROWS (5000000), RUNS (7) and FILE (target/bench/cdr-ROWS.csv) may be set in the environment.
#
# The programs take turns within one run, since a machine's speed drifts; what is compared is the CPU time, user and system,
# of each process, and the ratio is the median of the ratios of neighbouring turns.
set -euo pipefail
cd "$(dirname "$0")/.."

rows=${ROWS:-5000000}
runs=${RUNS:-7}
file=${FILE:-target/bench/cdr-$rows.csv}
append=false
[ "${1:-}" = --append ] && append=true
[ "$runs" -ge 5 ] || { echo "at least 5 runs, or the median says little" >&2; exit 2; }

cargo build --release --quiet -p tollwatch-benches -p tollwatch
if [ ! -s "$file" ]; then
    mkdir -p "$(dirname "$file")"
    target/release/bench-data "$file.part" "$rows"
    mv "$file.part" "$file"
fi

count() { target/release/csv-count "$file"; }
scan() { target/release/tollwatch scan --format asterisk_cdr_csv --timezone Asia/Tokyo --output json "$file"; }

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
TIMEFORMAT='%U %S %R'
# measure NAME: runs the function NAME and appends "CPU-seconds wall-seconds" to its list.
measure() {
    { time "$1" >"$work/$1.out" 2>"$work/$1.err"; } 2>"$work/time" || { cat "$work/$1.err" >&2; exit 1; }
    awk '{ printf "%.3f %.3f\n", $1 + $2, $3 }' "$work/time" >>"$work/$1"
}
# Once unmeasured, so that the file is in memory for all of them.
count >"$work/warm" && scan >/dev/null 2>&1
for _ in $(seq "$runs"); do
    measure count
    measure scan
done

# middle COLUMN < LIST: median, least and greatest.
middle() {
    awk -v column="$1" '{ print $column }' | sort -n | awk '{ value[NR] = $1 } END {
        median = NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2
        printf "%.3f %.3f %.3f", median, value[1], value[NR] }'
}
bytes=$(stat -c %s "$file")
lines=$(awk '{ print $1; exit }' "$work/warm")
line() {
    read -r cpu least most <<<"$(middle 1 <"$work/$2")"
    read -r wall _ <<<"$(middle 2 <"$work/$2")"
    awk -v name="$1" -v cpu="$cpu" -v least="$least" -v most="$most" -v wall="$wall" -v bytes="$bytes" -v lines="$lines" \
        'BEGIN { printf "| %s | %.2f (%.2f to %.2f) | %.2f | %.0f | %.2f |\n", name, cpu, least, most, wall,
                 bytes / 1e6 / cpu, lines / 1e6 / cpu }'
}
read -r ratio low high <<<"$(paste "$work/scan" "$work/count" | awk '{ print $1 / $3 }' | middle 1)"

table() {
    printf '\n## Scan of %s records, %s MB\n\n' "$lines" "$((bytes / 1000000))"
    printf '%s, %s; %s turns each, taken in alternation; file in the page cache.\n\n' \
        "$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)" "$(rustc --version)" "$runs"
    printf '| program | CPU s, median (least to greatest) | wall s | MB per CPU s | million records per CPU s |\n'
    printf '|---|---|---|---|---|\n'
    line 'csv crate, `ByteRecord` loop that only counts' count
    line '`tollwatch scan`, default rules' scan
    printf '\n`tollwatch scan` takes **%.2f times** the CPU time of the counting loop (paired, %.2f to %.2f).\n' \
        "$ratio" "$low" "$high"
}
table
if $append; then table >>benches/RESULTS.md; fi
