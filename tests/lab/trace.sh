#!/bin/sh
# Traces three routers in a row, each a network namespace, by ICMP and by UDP, over IPv4 and IPv6, and holds what is found
# against the addresses that were given out and against traceroute and mtr in the same run. Needs root and ip.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ "$(id -u)" != 0 ]; then
    echo "skipped: needs root for network namespaces" >&2
    exit 0
fi
cd "$root"
profile=${LAB_PROFILE:-release}
if [ "$profile" = release ]; then cargo build -q --release --bin broadgauge; dir=release
else cargo build -q --bin broadgauge; dir=debug; fi
tool=${BROADGAUGE:-${CARGO_TARGET_DIR:-target}/$dir/broadgauge}
work=$(mktemp -d)
id=$$
chain="bga$id bgb$id bgc$id bgd$id bge$id"
finish() {
    for ns in $chain; do ip netns del "$ns" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT INT TERM
for ns in $chain; do
    ip netns add "$ns"
    ip -n "$ns" link set lo up
    # Routers answer every probe here: the kernel's own limit is for hosts that strangers reach.
    ip netns exec "$ns" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
        net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.ipv6.conf.default.accept_dad=0
    ip netns exec "$ns" sysctl -qw net.ipv4.icmp_msgs_per_sec=100000 2>/dev/null || true
done
# Link N joins namespace N and N+1 as 10.98.N.1 and 10.98.N.2.
link() {
    ip -n "$2" link add "r$1" type veth peer name "l$1" netns "$3"
    for side in "$2 r$1 1" "$3 l$1 2"; do
        set -- "$1" "$2" "$3" $side
        ip -n "$4" addr add "10.98.$1.$6/24" dev "$5"
        ip -n "$4" addr add "fd98:$1::$6/64" dev "$5" nodad
        ip -n "$4" link set "$5" up
    done
}
link 1 "bga$id" "bgb$id"
link 2 "bgb$id" "bgc$id"
link 3 "bgc$id" "bgd$id"
link 4 "bgd$id" "bge$id"
go() { ip -n "$1" route add "$2" via "$3"; ip -n "$1" -6 route add "$4" via "$5"; }
go "bga$id" default 10.98.1.2 default fd98:1::2
go "bgb$id" 10.98.3.0/24 10.98.2.2 fd98:3::/64 fd98:2::2
go "bgb$id" 10.98.4.0/24 10.98.2.2 fd98:4::/64 fd98:2::2
go "bgc$id" 10.98.4.0/24 10.98.3.2 fd98:4::/64 fd98:3::2
go "bgc$id" 10.98.1.0/24 10.98.2.1 fd98:1::/64 fd98:2::1
go "bgd$id" 10.98.1.0/24 10.98.3.1 fd98:1::/64 fd98:3::1
go "bgd$id" 10.98.2.0/24 10.98.3.1 fd98:2::/64 fd98:3::1
go "bge$id" default 10.98.4.1 default fd98:4::1
near="ip netns exec bga$id"
broken=0
# trace NAME TARGET EXPECTED FLAGS...
trace() {
    name=$1 target=$2 expected=$3
    shift 3
    echo "== $name"
    if ! $near "$@" "$tool" measure trace "$target" --json --count 20 --interval 10ms $flags >"$work/out.json" 2>"$work/err"; then
        cat "$work/err"
        broken=1
        return
    fi
    python3 - "$work/out.json" "$expected" <<'P' || broken=1
import json, sys
out = json.load(open(sys.argv[1]))
hops = [s for s in out["samples"] if s["metric"] == "hop_round_trip_delay"]
for s in hops:
    d, c = s["details"], s["counts"]
    print(f'{d["hop"]:3} {d["address"]:24} {c["received"]}/{c["sent"]} p50 {1e3 * s["p50_ms"]:.0f} us {d["said"]}')
main = out["samples"][0]
print("stamps", main["details"]["stamps"], "socket", main["details"]["socket"])
found = [s["details"]["address"] for s in hops]
expected = sys.argv[2].split()
ok = found == expected and all(s["counts"]["lost"] == 0 for s in hops) and main["details"]["reached_at_hop"] == len(expected)
sys.exit(0 if ok else f"bound broken: found {found}, given out {expected}")
P
}
four="10.98.1.2 10.98.2.2 10.98.3.2 10.98.4.2"
six="fd98:1::2 fd98:2::2 fd98:3::2 fd98:4::2"
flags="--set protocol=icmp" trace "icmp, IPv4" 10.98.4.2 "$four"
flags="--set protocol=udp" trace "udp, IPv4" 10.98.4.2 "$four"
flags="--set protocol=icmp" trace "icmp, IPv6" fd98:4::2 "$six"
flags="--set protocol=udp" trace "udp, IPv6" fd98:4::2 "$six"
if command -v setpriv >/dev/null; then
    cp "$tool" "$work/tool"
    chmod 755 "$work" "$work/tool"
    kept=$tool tool=$work/tool
    flags="--set protocol=udp" trace "udp, IPv4, as nobody" 10.98.4.2 "$four" setpriv --reuid 65534 --regid 65534 --clear-groups
    tool=$kept
else
    echo "skipped: no setpriv to run without privilege" >&2
fi
for other in "traceroute -n -q 10 -I" "traceroute -n -q 10" "mtr -n -r -c 20 -i 0.1"; do
    if command -v "${other%% *}" >/dev/null; then
        echo "== $other"
        # shellcheck disable=SC2086
        $near $other 10.98.4.2
    else
        echo "skipped: no ${other%% *}" >&2
    fi
done
exit $broken
