#!/usr/bin/env bash
# Traces three routers in a row, each a network namespace, by ICMP and by UDP, over IPv4 and IPv6, and holds what is found
# against the addresses that were given out and against traceroute and mtr in the same run. Needs root and ip.
set -euo pipefail
source "$(dirname "$0")/common.bash"
can_join || exit 0
needs python3
build_command
id=$$
spaces=("bga$id" "bgb$id" "bgc$id" "bgd$id" "bge$id")
for ns in "${spaces[@]}"; do
    ip netns add "$ns"
    ip -n "$ns" link set lo up
    # Routers answer every probe here: the kernel's own limit is for hosts that strangers reach.
    ip netns exec "$ns" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
        net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.ipv6.conf.default.accept_dad=0
    ip netns exec "$ns" sysctl -qw net.ipv4.icmp_msgs_per_sec=100000 2>/dev/null || true
done
# Cable N joins namespace N and N+1 as 10.98.N.1 and 10.98.N.2.
for n in 1 2 3 4; do
    one=${spaces[n - 1]} next=${spaces[n]}
    cable "$one" "r$n" "10.98.$n.1/24" "$next" "l$n" "10.98.$n.2/24"
    ip -n "$one" addr add "fd98:$n::1/64" dev "r$n" nodad
    ip -n "$next" addr add "fd98:$n::2/64" dev "l$n" nodad
done
go() { ip -n "$1" route add "$2" via "$3"; ip -n "$1" -6 route add "$4" via "$5"; }
go "bga$id" default 10.98.1.2 default fd98:1::2
go "bgb$id" 10.98.3.0/24 10.98.2.2 fd98:3::/64 fd98:2::2
go "bgb$id" 10.98.4.0/24 10.98.2.2 fd98:4::/64 fd98:2::2
go "bgc$id" 10.98.4.0/24 10.98.3.2 fd98:4::/64 fd98:3::2
go "bgc$id" 10.98.1.0/24 10.98.2.1 fd98:1::/64 fd98:2::1
go "bgd$id" 10.98.1.0/24 10.98.3.1 fd98:1::/64 fd98:3::1
go "bgd$id" 10.98.2.0/24 10.98.3.1 fd98:2::/64 fd98:3::1
go "bge$id" default 10.98.4.1 default fd98:4::1
near=(ip netns exec "bga$id")
broken=0
# trace NAME TARGET EXPECTED CARRIER [COMMAND BEFORE IT...]
trace() {
    local name=$1 target=$2 expected=$3 carrier=$4
    shift 4
    echo "== $name"
    if ! "${near[@]}" "$@" "$program" measure trace "$target" --json --count 20 --interval 10ms --set "protocol=$carrier" >"$work/out.json" 2>"$work/err"; then
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
trace "icmp, IPv4" 10.98.4.2 "$four" icmp
trace "udp, IPv4" 10.98.4.2 "$four" udp
trace "icmp, IPv6" fd98:4::2 "$six" icmp
trace "udp, IPv6" fd98:4::2 "$six" udp
if command -v setpriv >/dev/null; then
    cp "$program" "$work/tool"
    chmod 755 "$work" "$work/tool"
    program=$work/tool
    trace "udp, IPv4, as nobody" 10.98.4.2 "$four" udp setpriv --reuid 65534 --regid 65534 --clear-groups
else
    echo "skipped: no setpriv to run without privilege" >&2
fi
for other in "traceroute -n -q 10 -I" "traceroute -n -q 10" "mtr -n -r -c 20 -i 0.1"; do
    if command -v "${other%% *}" >/dev/null; then
        echo "== $other"
        # shellcheck disable=SC2086
        "${near[@]}" $other 10.98.4.2
    else
        echo "skipped: no ${other%% *}" >&2
    fi
done
exit $broken
