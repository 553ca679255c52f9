# shellcheck shell=bash
# Shared by the scripts beside it: says what is missing on this machine, installs exactly that, and stops
# with a reason and a hint when it cannot. Nothing that is already there is upgraded or changed.
# Written to: Debian's package database, CARGO_HOME and RUSTUP_HOME, and target/ in the repository.

cargo_deny_version=0.20.2
schemathesis_version=4.32.5

# The main job on the bundled case; the demo and the README's drift check run the same words.
# shellcheck disable=SC2034
demo_scan=(scan datasets/cases/japan-2015/cel.csv.zst datasets/cases/japan-2015/Master.csv.zst)

say() { printf '==> %s\n' "$*"; }

# fail REASON HINT
fail() {
    printf '\nerror: %s\n hint: %s\n' "$1" "$2" >&2
    exit 1
}

# step HINT COMMAND…: shows the command, runs it, stops with the hint when it fails
step() {
    local hint=$1 status=0
    shift
    say "$*"
    "$@" || status=$?
    [ "$status" -eq 0 ] || fail "'$*' ended with status $status" "$hint"
}

# The scripts run in the repository wherever they are called from, and with an empty environment too.
enter_repository() {
    cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
    export HOME=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
    export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:${PATH:-/usr/local/bin:/usr/bin:/bin}:/usr/sbin:/sbin"
    # rustup would otherwise download a toolchain at any call, before it is said and asked for below.
    export RUSTUP_AUTO_INSTALL=0
    target=${CARGO_TARGET_DIR:-target}
    mkdir -p "$target"
}

# install_packages NAME…: those of the named Debian packages that are missing
install_packages() {
    local name missing=() root=()
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "missing packages: ${missing[*]}"
    command -v apt-get >/dev/null ||
        fail "this is not a Debian system (no apt-get)" "install what corresponds to: ${missing[*]}; then run this again"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            fail "installing packages needs root, and there is no sudo" \
                "as root: apt-get update && apt-get install ${missing[*]}; then run this again"
        root=(sudo)
    fi
    step "is the network up, and are the package sources in /etc/apt right?" "${root[@]}" apt-get update -q
    step "see apt's message above; 'dpkg --configure -a' mends an interrupted installation" \
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-upgrade --no-install-recommends "${missing[@]}"
}

# Some crates (zstd) contain C. A compiler that is not Debian's is as good, so it is tried and not looked up.
compiler_links() {
    printf '#include <stdlib.h>\nint main(void) { return 0; }\n' | cc -x c - -o "$target/.links" 2>/dev/null &&
        rm "$target/.links"
}

# Certificates to fetch crates with, where cargo looks for them.
certificates_exist() {
    local bundle
    for bundle in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
        [ ! -s "$bundle" ] || return 0
    done
    return 1
}

# at_least VERSION WANTED
at_least() { printf '%s\n%s\n' "$2" "$1" | sort -C -V; }

# Rust: what is there is used; rustup's own installer runs only where there is no cargo at all.
ensure_rust() {
    local wanted version packages=()
    wanted=$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)
    compiler_links || packages+=(gcc libc6-dev)
    certificates_exist || packages+=(ca-certificates)
    command -v cargo >/dev/null || command -v curl >/dev/null || packages+=(curl)
    install_packages "${packages[@]}"
    compiler_links || fail "cc cannot build a program" "try: printf 'int main(void) { return 0; }' | cc -x c -"
    if ! command -v cargo >/dev/null; then
        install_rust "$wanted"
    elif command -v rustup >/dev/null && [ -z "${RUSTUP_TOOLCHAIN:-}" ]; then
        ensure_toolchain "$wanted"
    fi
    version=$(rustc --version) ||
        fail "cargo is there, but rustc does not run" "see the message above; 'which -a cargo rustc' shows whose they are"
    version=${version#rustc }
    version=${version%%[ -]*}
    at_least "$version" "$wanted" ||
        fail "Rust $version is too old: $wanted is needed" "install rustup (https://rustup.rs), then run this again"
    say "using Rust $version ($(command -v cargo))"
}

install_rust() {
    local folder
    say "installing Rust $1 with rustup's installer into ${CARGO_HOME:-$HOME/.cargo} and ${RUSTUP_HOME:-$HOME/.rustup}"
    folder=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$folder'" EXIT
    step "is https://sh.rustup.rs reachable from here? Rust installed in another way serves as well" \
        curl --proto '=https' --tlsv1.2 -fsSL --retry 3 -o "$folder/rustup.sh" https://sh.rustup.rs
    step "see rustup's message above; Rust installed in another way serves as well" \
        sh "$folder/rustup.sh" -y --no-modify-path --profile minimal --default-toolchain "$1" -c rustfmt -c clippy
    hash -r
    command -v cargo >/dev/null || fail "rustup's installer ended well, but there is no cargo" "look into ${CARGO_HOME:-$HOME/.cargo}/bin"
}

# ensure_toolchain VERSION: a rustup toolchain of that version, under whatever name it has
ensure_toolchain() {
    local name
    ! rustup toolchain list | grep -q "^$1-" || return 0
    for name in $(rustup toolchain list | grep -o '^[^ ]*'); do
        if [[ $(rustup run "$name" rustc --version 2>/dev/null) == "rustc $1 "* ]]; then
            say "the installed toolchain $name is Rust $1"
            export RUSTUP_TOOLCHAIN=$name
            return 0
        fi
    done
    step "is https://static.rust-lang.org reachable from here?" \
        rustup toolchain install "$1" --no-self-update --profile minimal --component rustfmt --component clippy
}

# ensure_component NAME: rustfmt or clippy
ensure_component() {
    ! cargo "${1#rust}" --version >/dev/null 2>&1 || return 0
    command -v rustup >/dev/null ||
        fail "cargo has no $1" "install $1 where cargo came from, or install rustup (https://rustup.rs)"
    step "is https://static.rust-lang.org reachable from here?" rustup component add "$1"
}

# cargo-deny without optimisation: it runs for a second and is built in a third of the time.
ensure_cargo_deny() {
    ! cargo deny --version >/dev/null 2>&1 || return 0
    say "installing cargo-deny $cargo_deny_version into ${CARGO_HOME:-$HOME/.cargo}/bin (once; some minutes)"
    step "is the crate registry reachable from here?" \
        env CARGO_PROFILE_DEV_DEBUG=0 cargo install -q --locked --debug "cargo-deny@$cargo_deny_version"
}

# schemathesis, the client that fuzzes the API, in a Python environment of its own where the test looks for it.
ensure_schemathesis() {
    local folder=$target/schemathesis
    [[ $("$folder/bin/schemathesis" --version 2>/dev/null) != *" $schemathesis_version" ]] || return 0
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3 python3-venv
    say "installing schemathesis $schemathesis_version into $folder (once)"
    step "see Python's message above; on Debian it needs python3-venv" python3 -m venv --clear "$folder"
    step "is the Python package index reachable from here?" \
        "$folder/bin/pip" install -q --disable-pip-version-check "schemathesis==$schemathesis_version"
}

# install_without_service NAME: a package whose program a test starts for itself. The package would start another, which
# nobody asked for, and at each boot: Debian asks policy-rc.d before it starts anything.
install_without_service() {
    local root=() policy=/usr/sbin/policy-rc.d status=0 ours=
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    if [ ! -e "$policy" ] && printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null; then
        ours=yes
        "${root[@]}" chmod 755 "$policy"
    fi
    (install_packages "$1") || status=$?
    [ -z "$ours" ] || "${root[@]}" rm "$policy"
    [ "$status" -eq 0 ] || exit "$status"
    [ ! -d /run/systemd/system ] ||
        step "'systemctl status $1' says what became of it" "${root[@]}" systemctl disable --now "$1"
}

# A real Prometheus, which a test starts for itself, and promtool, which checks rules and what /metrics shows.
ensure_prometheus() {
    { [ -x /usr/bin/prometheus ] && command -v promtool >/dev/null; } || install_without_service prometheus
}

# A real Alertmanager, which tests start for themselves.
ensure_alertmanager() {
    [ -x /usr/bin/prometheus-alertmanager ] || install_without_service prometheus-alertmanager
}
