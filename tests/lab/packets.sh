#!/bin/sh
# Holds STAMP and ping, packet by packet, against a capture on the client's own interface, in two network
# namespaces joined by a virtual cable. Needs root, ip, tc and tcpdump; iperf3 for the loaded part.
#
#   tests/lab/packets.sh [PROFILE]       PROFILE is dev or release (default release)
#
# Prints one table per scenario; the columns are microseconds. `tool_minus_wire` is what the method adds to the truth:
# both sides are cleared of the reflector's own time, which is in the packets. To reach: p50 at most 15, p99 at most 60.
set -eu
profile=${1:-${LAB_PROFILE:-release}}
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ "$(id -u)" != 0 ]; then
    echo "skipped: needs root for network namespaces" >&2
    exit 0
fi
cd "$root"
if [ "$profile" = release ]; then cargo build -q --release --workspace --example packets; dir=release
else cargo build -q --workspace --example packets; dir=debug; fi
tool=${CARGO_TARGET_DIR:-target}/$dir/examples/packets
work=$(mktemp -d)
near=bgn$$ far=bgf$$
pids=
finish() {
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    ip netns del $near 2>/dev/null || true
    ip netns del $far 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT INT TERM
ip netns add $near
ip netns add $far
ip -n $near link add eth0 type veth peer name eth0 netns $far
ip -n $near addr add 10.99.0.1/24 dev eth0
ip -n $far addr add 10.99.0.2/24 dev eth0
for ns in $near $far; do
    ip -n $ns link set lo up
    ip -n $ns link set eth0 up
    # Segments as large as those of a real card, or a queue of packets is not a queue of bytes.
    ip netns exec $ns sh -c 'command -v ethtool >/dev/null && ethtool -K eth0 tso off gso off gro off' >/dev/null 2>&1 || true
done
mkfifo "$work/hold"
ip netns exec $far "$tool" reflect 10.99.0.2:8620 <"$work/hold" >"$work/reflector" &
reflector=$!
exec 9>"$work/hold"
ip netns exec $near ping -q -c 3 -i 0.2 10.99.0.2 >/dev/null

# measure NAME METHOD PER_SECOND SECONDS
measure() {
    case $2 in stamp) filter="udp port 8620"; target=10.99.0.2:8620 ;; ping) filter="icmp"; target=10.99.0.2:0 ;; esac
    ip netns exec $near tcpdump -i eth0 --nano -U -B 8192 -s 200 -w "$work/$1.pcap" "$filter" 2>"$work/tcpdump" &
    dump=$!
    pids="$pids $dump"
    while ! grep -q listening "$work/tcpdump"; do
        kill -0 $dump
        sleep 0.1
    done
    echo "== $1"
    ip netns exec $near "$tool" "$2" $target "$3" "$4" "$work/$1.csv"
    sleep 1.5 # the kernel hands packets to tcpdump once a second; handing over each at once would delay them
    kill -INT $dump
    wait $dump || true
    "$tool" compare "$2" "$work/$1.pcap" "$work/$1.csv"
}

measure idle_100_per_second stamp 100 15
measure idle_1000_per_second stamp 1000 10
measure idle_ping_100_per_second ping 100 15
if command -v iperf3 >/dev/null; then
    ip netns exec $far tc qdisc add dev eth0 root tbf rate 20mbit burst 10kb limit 400kb
    ip netns exec $far iperf3 -s -1 >/dev/null 2>&1 &
    pids="$pids $!"
    sleep 0.5
    ip netns exec $near iperf3 -c 10.99.0.2 -R -t 16 >/dev/null 2>&1 &
    pids="$pids $!"
    sleep 2
    measure loaded_20_mbit stamp 100 10
else
    echo "skipped: no iperf3 for the loaded scenario" >&2
fi
exec 9>&-
wait $reflector || true
echo "== reflector"
cat "$work/reflector"
