#!/usr/bin/env bash
# Does `throughput` read what a shaper allows? A client, a router and a peer, each in a network namespace of its own; the
# router's two ports are shaped by tbf at a known rate, so that neither end feels the shaper's queue.
#
# Header arithmetic: tbf counts whole Ethernet frames: 14 bytes of Ethernet header + 20 of IPv4 + 32 of TCP with
# timestamps + 1448 of payload at an MTU of 1500. So payload = rate x 1448 / 1514.
#
# Segmentation offload stays on: the kernel counts the headers of every segment in a large packet
# (qdisc_pkt_len_init), and tbf cuts up what exceeds its burst. The column "frame" checks it in the same run: the
# bytes over the packets that tbf counted must be 1514, less a little for control lines and delay probes. SEGMENTS=1 turns offload
# off; two cores then cannot carry 500 Mbit/s through five hops, which says nothing about the method.
#
# The last columns are the rise of the delay beside the load, at p50 and p95. The shaper's buffer holds 100 ms, or
# 60 kB where that is more, and the rise cannot exceed it by more than a frame.
#
# Bounds: 0.98 to 1.00 of that payload rate, down and up. In a time, tbf lets through its rate times that time and
# once more its burst (4 ms worth, or two frames), so the upper bound is 1 + burst / (rate x window), about
# 1.0005, and no run may break it. Where cores are busy, tbf is woken late and loses tokens, which nobody downstream can
# make up for: a run below 0.98, or with more delay than the buffer holds, is shown and repeated, three times at most.
#
# use: throughput.sh [RATE_MBPS...]     20, 100 and 500 unless told; CONTROL="bbr cubic" by default
set -euo pipefail
source "$(dirname "$0")/common.bash"
can_join || exit 0
needs tc awk
join_by_router 1 2
if [ -n "${SEGMENTS:-}" ]; then
    for end in "$client c" "$router rc" "$router rp" "$far p"; do
        read -r namespace device <<<"$end"
        ip -n "$namespace" link set "$device" gso_max_segs "$SEGMENTS"
    done
fi

build --example streams
program=$built/examples/streams
mkfifo "$work/stay"
ip netns exec "$far" "$program" peer 10.99.2.2:8620 <"$work/stay" >"$work/address" &
started+=($!)
exec 9>"$work/stay"
until_it test -s "$work/address"

shape() { # Mbit/s: a buffer of 100 ms, and a burst of 4 ms or two frames
    burst=$(( $1 * 500 > 3200 ? $1 * 500 : 3200 )) limit=$(( $1 * 12500 > 60000 ? $1 * 12500 : 60000 ))
    for device in rc rp; do
        ip netns exec "$router" tc qdisc replace dev "$device" root tbf \
            rate "${1}mbit" burst "$burst" limit "$limit" 2>/dev/null || skip "needs tc's tbf"
    done
}
counted() { # device: bytes and packets that tbf let through
    ip netns exec "$router" tc -s qdisc show dev "$1" | awk '/Sent/ { print $2, $4 }'
}

broken=0
line='%7s %5s %8s %11s %11s %7s %9s %7s %8s %7s %8s %8s  %s\n'
# shellcheck disable=SC2059
printf "$line" Mbit/s way control measured allowed ratio warm-up/s resent fairness frame/B rise/ms p95/ms verdict
[ $# -gt 0 ] || set -- 20 100 500
for rate in "$@"; do for control in ${CONTROL:-bbr cubic}; do
    shape "$rate"
    for way in down up; do
        [ "$way" = down ] && device=rc || device=rp
        for _ in 1 2 3; do
            read -r bytes packets <<<"$(counted "$device")"
            ip netns exec "$client" "$program" row 10.99.2.2:8620 \
                "{\"congestion\":\"$control\",\"direction\":\"$way\"}" >"$work/row"
            read -r bytes_after packets_after <<<"$(counted "$device")"
            came_to=0
            # shellcheck disable=SC2059
            awk -F'\t' -v rate="$rate" -v control="$control" -v burst="$burst" -v line="$line" \
                -v frame=$(( (bytes_after - bytes) / (packets_after - packets) )) '
                { allowed = rate * 1448 / 1514; ratio = $2 / allowed
                  most = 1 + burst * 8 / (rate * 1e6 * (10 - $3 / 1000 - 0.5))
                  hold = rate * 12500 > 60000 ? 100 : 480 / rate
                  if ($2 !~ /^[0-9.]+$/) { verdict = "unmeasured: " $2; bad = 2 }
                  else if (ratio > most) { verdict = "ABOVE"; bad = 2 }
                  else if (ratio < 0.98) { verdict = "below"; bad = 1 }
                  else if ($8 > hold + 12 / rate + 2) { verdict = "more delay than the buffer holds"; bad = 1 }
                  else verdict = "ok"
                  printf line, rate, $1, control, sprintf("%.3f", $2), sprintf("%.3f", allowed),
                      sprintf("%.4f", ratio), sprintf("%.1f", $3 / 1000), sprintf("%.4f", $4), sprintf("%.3f", $5),
                      frame, sprintf("%.1f", $7), sprintf("%.1f", $8), verdict }
                END { exit NR == 1 ? bad : 2 }' "$work/row" || came_to=$?
            [ "$came_to" = 1 ] || break
        done
        [ "$came_to" = 0 ] || broken=1
    done
done; done
[ "$broken" = 0 ] || echo "a bound is broken: 0.98 to 1.00 of the payload rate that the shaper allows"
exit "$broken"
