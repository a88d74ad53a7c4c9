# shellcheck shell=bash
# What the scripts of the lab share; they source it. It goes to the root of the repository and makes a folder for the run
# in $work. The processes in `started` and the network namespaces in `spaces` end with the script. KEEP=1 leaves the
# folder; LAB_PROFILE=dev takes the debug build.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
work=$(mktemp -d)
started=()
spaces=()
stop_started() {
    local pid
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
    started=()
}
clean() {
    exec 9>&- || true
    stop_started
    local space
    for space in "${spaces[@]}"; do ip netns del "$space" 2>/dev/null || true; done
    [ -n "${KEEP:-}" ] || rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

no() { echo "skipped: ${0##*/}: $*"; return 1; }
skip() { no "$*" || exit 0; }
needs() { # programs
    local program
    for program in "$@"; do command -v "$program" >/dev/null || skip "no $program here"; done
}
# Whether there can be network namespaces; says why not.
can_join() {
    [ "$(id -u)" = 0 ] || no "needs root for network namespaces" || return
    command -v ip >/dev/null || no "no ip here" || return
    ip netns add "bgx$$" 2>/dev/null || no "this system gives no network namespaces" || return
    ip netns del "bgx$$"
}

profile=${LAB_PROFILE:-release}
build() { # what, in cargo's words; the folder is in $built then
    cargo build --quiet --profile "$profile" --workspace "$@" || exit 1
    built=$(realpath "${CARGO_TARGET_DIR:-target}/${profile/#dev/debug}")
}
# The command itself, in $program; BROADGAUGE=FILE names another.
build_command() {
    [ -n "${BROADGAUGE:-}" ] || build --bin broadgauge
    program=$(realpath "${BROADGAUGE:-$built/broadgauge}")
}

# Ports from here on are this run's.
# shellcheck disable=SC2034 # those who source this use it
port=$((20000 + ($$ * 7) % 20000))
until_it() { # command...
    for _ in $(seq 300); do "$@" >/dev/null 2>&1 && return; sleep 0.05; done
    echo "gave up waiting: $*" >&2
    return 1
}
has() { grep -q "$1" "$2"; }
listens() { ss -Hltn "sport = :$1" | grep -q .; }
median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

cable() { # namespace, device and address of one end, and of the other
    ip -n "$1" link add "$2" type veth peer name "$5" netns "$4"
    set -- "$1 $2 $3" "$4 $5 $6"
    local end namespace device address
    for end in "$@"; do
        read -r namespace device address <<<"$end"
        ip -n "$namespace" address add "$address" dev "$device"
        ip -n "$namespace" link set "$device" up
        ip -n "$namespace" link set lo up
    done
}
# Two namespaces, $near at 10.N.0.1 and $far at 10.N.0.2, joined by a virtual cable.
join_two() { # N
    near=bgn$$ far=bgf$$
    spaces=("$near" "$far")
    ip netns add "$near"
    ip netns add "$far"
    cable "$near" eth0 "10.$1.0.1/24" "$far" eth0 "10.$1.0.2/24"
}
# Three, $client at 10.99.N.2 and $far at 10.99.M.2, joined by $router, whose devices are rc and rp.
join_by_router() { # N M
    client=bg$$c router=bg$$r far=bg$$p
    spaces=("$client" "$router" "$far")
    local space
    for space in "${spaces[@]}"; do ip netns add "$space"; done
    cable "$client" c "10.99.$1.2/24" "$router" rc "10.99.$1.1/24"
    cable "$far" p "10.99.$2.2/24" "$router" rp "10.99.$2.1/24"
    ip -n "$client" route add default via "10.99.$1.1"
    ip -n "$far" route add default via "10.99.$2.1"
    ip netns exec "$router" sysctl -qw net.ipv4.ip_forward=1
}
