#!/usr/bin/env bash
# Holds STAMP and ping, packet by packet, against a capture on the client's own interface, in two network
# namespaces joined by a virtual cable. Needs root, ip, tc and tcpdump; iperf3 for the loaded part.
#
#   tests/lab/packets.sh [PROFILE]       PROFILE is dev or release (default release)
#
# Prints one table per scenario; the columns are microseconds. `tool_minus_wire` is what the method adds to the truth:
# both sides are cleared of the reflector's own time, which is in the packets.
#
# Bounds, for every scenario: kernel stamps both ways on each answer; every slot in the books, sent or missed; 99 % of
# the answers in the capture; and then
#   idle     the median of tool minus wire within 15 us of zero, its 1st and 99th percentile within 60 us;
#   loaded   the tool's median and 99th percentile within 2 % of the capture's.
# Where cores are busy, a packet may wait between the two stamps, or miss the capture: a scenario that breaks a bound is
# shown and repeated, five times at most. MEDIAN_US, P99_US and LOADED_SHARE set other bounds.
set -euo pipefail
LAB_PROFILE=${1:-${LAB_PROFILE:-release}}
source "$(dirname "$0")/common.bash"
can_join || exit 0
needs tcpdump awk ping
build --example packets
tool=$built/examples/packets
join_two 99
for ns in "$near" "$far"; do
    # Segments as large as those of a real card, or a queue of packets is not a queue of bytes.
    ip netns exec "$ns" sh -c 'command -v ethtool >/dev/null && ethtool -K eth0 tso off gso off gro off' >/dev/null 2>&1 || true
done
mkfifo "$work/hold"
ip netns exec "$far" "$tool" reflect 10.99.0.2:8620 <"$work/hold" >"$work/reflector" &
reflector=$!
exec 9>"$work/hold"
ip netns exec "$near" ping -q -c 3 -i 0.2 10.99.0.2 >/dev/null

# judge KIND SLOTS: reads one scenario's table, says what it came to, and fails where a bound is broken
judge() {
    awk -F, -v kind="$1" -v slots="$2" -v median="${MEDIAN_US:-15}" -v p99="${P99_US:-60}" -v share="${LOADED_SHARE:-0.02}" '
        function off(x) { return x < 0 ? -x : x }
        function broken(what) { verdict = verdict "; BROKEN: " what }
        function apart(a, b) { return b > 0 ? off(a / b - 1) : 1 }
        /^planned/ { planned = $2; booked = $4 + $6 }
        /^compared/ { compared = $2; unseen = $4; stamped = $6 }
        /^tool_minus_wire,/ { low = $2; middle = $3; high = $4 }
        /^wire_round_trip/ { wire = $3; wire_high = $4 }
        /^tool_round_trip/ { tool = $3; tool_high = $4 }
        END {
            if (planned != slots || booked != slots) broken(booked " of " slots " slots in the books")
            if (compared == 0 || unseen > 0.01 * (compared + unseen)) broken(unseen " answers not in the capture")
            if (stamped < compared + unseen) broken(stamped " of " compared + unseen " answers with kernel stamps both ways")
            if (kind == "idle") {
                said = sprintf("median bias %.1f us (at most %s), p1 %.1f and p99 %.1f us (at most %s)", middle, median, low, high, p99)
                if (!(off(middle) <= median)) broken("median")
                if (!(off(low) <= p99 && off(high) <= p99)) broken("tails")
            } else {
                said = sprintf("median %.4f and p99 %.4f of the capture'"'"'s (within %s)", tool / wire, tool_high / wire_high, share)
                if (!(apart(tool, wire) <= share)) broken("median under load")
                if (!(apart(tool_high, wire_high) <= share)) broken("p99 under load")
            }
            print kind ": " said (verdict == "" ? "; ok" : verdict)
            exit verdict != ""
        }' "$work/table"
}

# measure KIND NAME METHOD PER_SECOND SECONDS
measure() {
    case $3 in stamp) filter="udp port 8620"; target=10.99.0.2:8620 ;; ping) filter="icmp"; target=10.99.0.2:0 ;; esac
    for try in 1 2 3 4 5; do
        ip netns exec "$near" tcpdump -i eth0 --nano -U -B 8192 -s 200 -w "$work/$2.pcap" "$filter" 2>"$work/tcpdump" &
        dump=$!
        started+=("$dump")
        while ! grep -q listening "$work/tcpdump"; do
            kill -0 $dump
            sleep 0.1
        done
        echo "== $2"
        ip netns exec "$near" "$tool" "$3" "$target" "$4" "$5" "$work/$2.csv"
        sleep 1.5 # the kernel hands packets to tcpdump once a second; handing over each at once would delay them
        kill -INT $dump
        wait $dump || true
        "$tool" compare "$3" "$work/$2.pcap" "$work/$2.csv" | tee "$work/table"
        judge "$1" $(( $4 * $5 )) && return
        [ "$try" = 5 ] || echo "again, in case a core was busy"
    done
    failed=1
}

failed=0
measure idle idle_100_per_second stamp 100 15
measure idle idle_1000_per_second stamp 1000 10
measure idle idle_ping_100_per_second ping 100 15
if command -v iperf3 >/dev/null && command -v tc >/dev/null; then
    ip netns exec "$far" tc qdisc add dev eth0 root tbf rate 20mbit burst 10kb limit 400kb
    ip netns exec "$far" iperf3 -s >/dev/null 2>&1 9>&- &
    started+=($!)
    sleep 0.5
    ip netns exec "$near" iperf3 -c 10.99.0.2 -R -t 60 >/dev/null 2>&1 9>&- &
    started+=($!)
    sleep 2
    measure loaded loaded_20_mbit stamp 100 10
else
    echo "skipped: no iperf3 or no tc for the loaded scenario" >&2
fi
exec 9>&- # the reflector ends with its standard input
wait $reflector || true
echo "== reflector"
cat "$work/reflector"
[ "$failed" = 0 ] || echo "a bound is broken: see BROKEN above"
exit "$failed"
