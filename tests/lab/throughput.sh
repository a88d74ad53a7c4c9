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
# What the shaper did is read from its own counters all the while, ten times a second: the payload rate that it let through in
# the very window of the result (the column "let by", as a share of what it allows), and its queue. Where cores are busy,
# tbf is woken late and loses tokens, which nobody downstream can make up for: it lets through less than it is set to.
#
# Bounds, down and up:
#   of let by  0.98 to 1.00 of the payload that the shaper let through in those seconds, on any machine;
#   allowed    0.98 to 1.00 of the payload rate that the shaper is set to. In a time, tbf lets through its rate times that
#              time and once more its burst (4 ms worth, or two frames), so the upper bound is 1 + burst / (rate x
#              window), about 1.0005. Below 0.98 is the shaper's doing where its queue was never empty in the window: the
#              load waited for it, always, and such a run says "shaper late";
#   rise       the delay's rise beside the load, at p95, is no longer than a full buffer (100 ms, or 60 kB where that is
#              more) took the shaper to let through when it was slowest, one frame and 2 ms.
# A run outside is shown and repeated, three times at most; but not one that is above what is allowed by more than the
# machine explains: who counts late, counts at either edge of the window what came before it, and "late" is how much later
# than planned the shaper's counters were read themselves. Where all three runs stay below 0.98 with a queue that ran
# empty, iperf3 takes the same way with as many streams: to reach 0.98 of its rate is enough then.
#
# use: throughput.sh [RATE_MBPS...]     20, 100 and 500 unless told; CONTROL="bbr cubic" by default
set -euo pipefail
source "$(dirname "$0")/common.bash"
can_join || exit 0
needs tc awk iperf3
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
ip netns exec "$far" iperf3 -s >/dev/null 2>&1 9>&- &
started+=($!)

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
watch_shaper() { # device: what tc says of it ten times a second, with the time before and after, to "$work/shaper"
    # shellcheck disable=SC2016 # for the shell in the namespace
    ip netns exec "$router" bash -c 'exec 3<> <(:)
        while :; do
            echo "at $EPOCHREALTIME"; tc -s qdisc show dev "$0"; echo "until $EPOCHREALTIME"
            read -rt 0.1 -u 3 || true
        done' "$1" 9>&- >"$work/shaper" &
    watching=$!
}
# Prints the row; fails with 2 where it may not be tried again, with 3 where the queue ran empty and the rate is too low, else
# with 1 where a bound is broken.
judge() { # rate, way, control, frame
    awk -v rate="$1" -v way="$2" -v control="$3" -v frame="$4" -v burst="$burst" -v limit="$limit" -v line="$line" '
        function let_by(t,   i) { # bytes by then
            for (i = 2; i < n && at[i] < t; i++);
            return bytes[i - 1] + (bytes[i] - bytes[i - 1]) * (t - at[i - 1]) / (at[i] - at[i - 1])
        }
        function time_of(b,   i) { # when so many were through
            for (i = 2; i < n && bytes[i] < b; i++);
            return bytes[i] > bytes[i - 1] ? at[i - 1] + (at[i] - at[i - 1]) * (b - bytes[i - 1]) / (bytes[i] - bytes[i - 1]) : at[i]
        }
        $1 == "at" { asked = $2; if (until > 0 && asked - until - 0.1 > late) late = asked - until - 0.1 }
        $1 == "Sent" { sent = $2 }
        $1 == "backlog" { split($2, waits, "b"); waits[1] *= waits[1] ~ /K/ ? 1024 : waits[1] ~ /M/ ? 1048576 : 1 }
        $1 == "until" { until = $2; if (until - asked > late) late = until - asked }
        # Read within 5 ms, or it is not known when.
        $1 == "until" && until - asked < 0.005 { n++; at[n] = (asked + until) / 2; bytes[n] = sent; queue[n] = waits[1] }
        FILENAME ~ /row$/ { measured = $2; warm_up = $3; resent = $4; fairness = $5; rise = $7; high = $8; from = $9; window = $10 / 1000 }
        END {
            if (measured !~ /^[0-9.]+$/) { print "unmeasured: " measured; exit 2 }
            allowed = rate * 1448 / 1514
            through = (let_by(from + window) - let_by(from)) * 8 / window / 1e6 * 1448 / 1514
            slowest = 0; empty = 0; seen = 0
            for (i = 1; i <= n; i++) if (at[i] >= from && at[i] <= from + window) {
                seen++; if (queue[i] == 0) empty++
                took = time_of(bytes[i] + limit) - at[i]
                if (took > slowest && bytes[i] + limit <= bytes[n]) slowest = took
            }
            ratio = measured / allowed; of_through = measured / through; bad = 1
            most = 1 + burst * 8 / (rate * 1e6 * window)
            if (seen < 20) verdict = "the shaper was not watched"
            else if (ratio > most + late / window) { verdict = "ABOVE"; bad = 2 }
            else if (ratio > most) verdict = "above by less than programs ran late"
            else if (of_through < 0.98 || of_through > 1.002 + late / window) verdict = "not what the shaper let through"
            else if (ratio < 0.98 && empty > 0) { verdict = "below"; bad = 3 }
            else if (high > slowest * 1000 + 12 / rate + 2) verdict = "more delay than the buffer holds"
            else { verdict = ratio < 0.98 ? "ok: shaper late" : "ok"; bad = 0 }
            printf line, rate, way, control, sprintf("%.3f", measured), sprintf("%.3f", allowed), sprintf("%.4f", ratio),
                sprintf("%.4f", through / allowed), sprintf("%.4f", of_through), sprintf("%.0f%%", 100 * empty / seen),
                sprintf("%.1f", warm_up / 1000), sprintf("%.4f", resent), sprintf("%.3f", fairness), frame,
                sprintf("%.1f", rise), sprintf("%.1f", high), sprintf("%.1f", slowest * 1000), sprintf("%.0f", late * 1000), verdict
            exit bad
        }' "$work/shaper" "$work/row"
}
beside_iperf3() { # way, control, Mbit/s of ours: whether that is 0.98 of what iperf3 gets, or more
    local theirs
    theirs=$(ip netns exec "$client" iperf3 -c 10.99.2.2 -P 8 -t 10 -O 1 -C "$2" -f k $([ "$1" = down ] && echo -R) |
        awk '/SUM.*receiver/ { for (i = 2; i <= NF; i++) if ($i == "Kbits/sec") print $(i - 1) / 1000 }')
    awk -v ours="$3" -v theirs="${theirs:-0}" 'BEGIN {
        enough = theirs > 0 && ours >= 0.98 * theirs
        printf "%43s  iperf3 on the same way: %.3f; %s\n", "", theirs, enough ? "ok: no less than iperf3" : "LESS THAN IPERF3"
        exit !enough }'
}

broken=0
line='%7s %5s %8s %11s %11s %7s %7s %9s %6s %9s %7s %8s %8s %8s %8s %8s %7s  %s\n'
# shellcheck disable=SC2059
printf "$line" Mbit/s way control measured allowed ratio "let by" "of let by" empty warm-up/s resent fairness frame/B rise/ms p95/ms most/ms late/ms verdict
[ $# -gt 0 ] || set -- 20 100 500
for rate in "$@"; do for control in ${CONTROL:-bbr cubic}; do
    shape "$rate"
    for way in down up; do
        [ "$way" = down ] && device=rc || device=rp
        best=0 below=0
        for _ in 1 2 3; do
            read -r bytes packets <<<"$(counted "$device")"
            watch_shaper "$device"
            ip netns exec "$client" "$program" row 10.99.2.2:8620 \
                "{\"congestion\":\"$control\",\"direction\":\"$way\"}" >"$work/row"
            sleep 0.3
            kill "$watching"
            read -r bytes_after packets_after <<<"$(counted "$device")"
            came_to=0;
            judge "$rate" "$way" "$control" $(( (bytes_after - bytes) / (packets_after - packets) )) || came_to=$?
            case $came_to in 0 | 2) break ;; 3) below=$((below + 1)) ;; esac
            best=$(printf '%s\n' "$best" "$(cut -f2 "$work/row")" | sort -g | tail -n 1)
        done
        if [ "$below" = 3 ] && beside_iperf3 "$way" "$control" "$best"; then came_to=0; fi
        [ "$came_to" = 0 ] || broken=1
    done
done; done
[ "$broken" = 0 ] || echo "a bound is broken: 0.98 to 1.00 of the payload rate that the shaper allows"
exit "$broken"
