#!/usr/bin/env bash
# Does `throughput` read what a shaper allows? A client, a router and a peer, each in a network namespace of its own; the
# router's two ports are shaped by tbf at a known rate, so that neither end feels the shaper's queue.
#
# Header arithmetic: tbf counts whole Ethernet frames: 14 bytes of Ethernet header + 20 IPv4 + 32 TCP with timestamps
# + 1448 of payload at an MTU of 1500. So payload = rate x 1448 / 1514. Segmentation offload is off on every port (gso_max_segs 1;
# veth does no GRO of itself): with it a "packet" is up to 64 KiB with one header, tbf counts that one header only, and
# the payload rises to 3 % above the arithmetic.
#
# Bounds: 0.98 to 1.00 of that payload rate, down and up, read to three decimals. #
# use: throughput.sh [RATE_MBPS...]     needs root; says so aloud and ends with 0 where it may not
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "$(id -u)" != 0 ]; then echo "skipped: throughput against tbf needs root for network namespaces"; exit 0; fi
for tool in ip tc jq; do
    command -v "$tool" >/dev/null || { echo "skipped: throughput against tbf needs $tool"; exit 0; }
done
run="bg$$"
client="${run}c" router="${run}r" peer="${run}p"
work=$(mktemp -d)
peer_pid=
clean() {
    [ -z "$peer_pid" ] || kill "$peer_pid" 2>/dev/null || true
    for namespace in "$client" "$router" "$peer"; do ip netns del "$namespace" 2>/dev/null || true; done
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM
if ! ip netns add "$client" 2>/dev/null; then
    echo "skipped: throughput against tbf: no network namespaces here"
    exit 0
fi
ip netns add "$router"
ip netns add "$peer"

# Ports: c - rc | router | rp - p
ip link add c netns "$client" type veth peer name rc netns "$router"
ip link add p netns "$peer" type veth peer name rp netns "$router"
port() { # namespace, device, address
    ip -n "$1" address add "$3" dev "$2"
    ip -n "$1" link set "$2" up
    ip -n "$1" link set "$2" gso_max_segs 1
}
port "$client" c 10.99.1.2/24
port "$router" rc 10.99.1.1/24
port "$router" rp 10.99.2.1/24
port "$peer" p 10.99.2.2/24
for namespace in "$client" "$router" "$peer"; do ip -n "$namespace" link set lo up; done
ip -n "$client" route add default via 10.99.1.1
ip -n "$peer" route add default via 10.99.2.1
ip netns exec "$router" sysctl -qw net.ipv4.ip_forward=1

cargo build --quiet --package broadgauge-probes --example streams
program=target/debug/examples/streams
[ -z "${CARGO_TARGET_DIR:-}" ] || program=$CARGO_TARGET_DIR/debug/examples/streams
mkfifo "$work/stay"
ip netns exec "$peer" "$program" peer 10.99.2.2:8620 <"$work/stay" >"$work/address" &
peer_pid=$!
exec 9>"$work/stay"
until [ -s "$work/address" ]; do
    kill -0 "$peer_pid" || { echo "the peer did not start"; exit 1; }
    read -rt 0.05 _ <> <(:) || true
done

shape() { # Mbit/s: a buffer of 100 ms, and a burst of 2 ms or 16 kB
    local burst=$(( $1 * 250 > 16000 ? $1 * 250 : 16000 )) limit=$(( $1 * 12500 > 60000 ? $1 * 12500 : 60000 ))
    for device in rc rp; do
        ip netns exec "$router" tc qdisc replace dev "$device" root tbf \
            rate "${1}mbit" burst "$burst" limit "$limit"
    done
}

broken=0
printf '%8s %5s %8s %12s %12s %7s %9s %8s %7s  %s\n' \
    Mbit/s way control measured allowed ratio warm-up ms resent fairness verdict
for rate in "${@:-20 100 500}"; do for rate in $rate; do for control in ${CONTROL:-bbr cubic}; do
    shape "$rate"
    ip netns exec "$client" "$program" measure 10.99.2.2:8620 "{\"congestion\":\"$control\"}" >"$work/result"
    for way in down up; do
        row=$(jq -r --arg way "$way" --argjson rate "$rate" 'select(.direction == $way)
            | if (.value | type) == "number" then
                (.value / ($rate * 1448 / 1514)) as $ratio
                | [.value, $rate * 1448 / 1514, $ratio, .details.warm_up_ms, .details.sender.retransmitted_ratio,
                   .details.stream_bytes.fairness,
                   if ($ratio * 1000 | round) < 980 then "below" elif ($ratio * 1000 | round) > 1000 then "ABOVE" else "ok" end]
              else [0, $rate, 0, 0, 0, 0, .value.unmeasured] end | @tsv' "$work/result")
        IFS=$'\t' read -r measured allowed ratio warm resent fairness verdict <<<"$row"
        printf '%8s %5s %8s %12.3f %12.3f %7.4f %10.0f %8.4f %7.3f  %s\n' \
            "$rate" "$way" "$control" "$measured" "$allowed" "$ratio" "$warm" "$resent" "$fairness" "$verdict"
        [ "$verdict" = ok ] || broken=1
    done
done; done; done
[ "$broken" = 0 ] || echo "a bound is broken: 0.98 to 1.00 of the payload rate that the shaper allows"
exit "$broken"
