#!/usr/bin/env bash
# Does `iperf3` speak to the real iperf3, each asking and each answering, and do both count the same? Over loopback: TCP
# up, down, both ways and parallel, with and without a part that is omitted, UDP up and down. A row fails where a test is
# refused, where two counts of one test differ by more than 1 %, or where packets are lost that were not.
#
# The count of the receiver is compared with that of the sender. What lies in socket buffers at the end is between the two,
# and an iperf3 server's clock runs until the client's word reaches it, some milliseconds after: tests last long enough for
# both to be small, and all but one each way have a rate.
set -uo pipefail
source "$(dirname "$0")/common.bash"
needs iperf3 python3
build --example peers
program=$built/examples/peers
mkfifo "$work/stay"
broken=

cat >"$work/judge.py" <<'PY'
"""Prints a row of two counts of one test; ends with 1 where they differ."""
import json, sys

kind, name, path = sys.argv[1:4]
rows, text = [], open(path).read()
if kind == "ours":  # we asked the real server
    for line in text.splitlines():
        sample = json.loads(line)
        details, value = sample["details"], sample["value"]
        if sample["metric"].endswith("goodput"):
            if not isinstance(value, (int, float)):
                sys.exit(f"{name:<34} {sample['metric']}: {value}")
            here = details.get("rate_with_warm_up_bps", value * 1e6)
            if sample["direction"] == "down":
                rows.append((sample["direction"], here, details["server_rate_bps"]))
            else:
                # The receiver's count against what we sent in the same time.
                rows.append((sample["direction"], value * 1e6, details["sent_bps"]))
        elif sample["metric"] == "loss_ratio":
            print(f"{name:<34} {sample['direction']:<5} loss {value}, of {sample['counts']['sent']}")
            if value != 0:
                sys.exit("packets were lost on a loopback")
else:  # the real client asked us
    document = json.loads(text)
    if "error" in document:
        sys.exit(f"{name:<34} {document['error']}")
    end = document["end"]
    for suffix, word in (("", "up" if kind != "reverse" else "down"), ("_bidir_reverse", "down")):
        if "sum_sent" + suffix in end:
            sent, received = end["sum_sent" + suffix], end["sum_received" + suffix]
            rows.append((word, received["bits_per_second"], sent["bits_per_second"]))
            if "lost_packets" in received and received["packets"]:
                print(f"{name:<34} {word:<5} loss {received['lost_packets']}, of {received['packets']}")
                if received["lost_packets"]:
                    sys.exit("packets were lost on a loopback")
if not rows:
    sys.exit(f"{name:<34} no rate: {text[:300]}")
bad = False
for word, received, sent in rows:
    apart = received / sent - 1
    bad |= abs(apart) > 0.01
    print(f"{name:<34} {word:<5} received {received / 1e6:10.3f}, sent {sent / 1e6:10.3f} Mbit/s, {apart:+8.3%}")
sys.exit("the two counts differ by more than 1 %" if bad else 0)
PY

asking() { # name settings
    iperf3 -s -1 -p "$port" >/dev/null 2>&1 &
    local server=$!
    started+=("$server")
    until_it listens "$port"
    if ! "$program" measure iperf3 "127.0.0.1:$port" "$2" >"$work/out" 2>"$work/err"; then
        echo "ours asks: $1: $(cat "$work/err")"
        broken=1
    elif ! python3 "$work/judge.py" ours "ours asks, $1" "$work/out"; then
        broken=1
    fi
    kill "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    port=$((port + 1))
}
answering() { # name kind flags...
    local name=$1 kind=$2
    shift 2
    "$program" answer iperf3 "127.0.0.1:$port" <"$work/stay" >/dev/null &
    local server=$!
    started+=("$server")
    exec 9>"$work/stay"
    until_it listens "$port"
    iperf3 -c 127.0.0.1 -p "$port" -J "$@" >"$work/out" 2>"$work/err"
    python3 "$work/judge.py" "$kind" "iperf3 asks, $name" "$work/out" || broken=1
    exec 9>&-
    wait "$server"
    port=$((port + 1))
}

echo "with $(iperf3 --version | head -1)"
asking "TCP up" '{"direction":"up","duration_s":3,"bandwidth_mbps":500}'
asking "TCP down" '{"direction":"down","duration_s":3,"bandwidth_mbps":500}'
asking "TCP both ways, 2 streams" '{"direction":"bidirectional","streams":2,"duration_s":3,"bandwidth_mbps":200}'
asking "TCP down, 8 streams" '{"direction":"down","streams":8,"duration_s":3,"bandwidth_mbps":100}'
asking "TCP up, full speed" '{"direction":"up","duration_s":3,"omit_s":1}'
asking "TCP down, full speed" '{"direction":"down","duration_s":3,"omit_s":1}'
asking "TCP up, cubic, nodelay" '{"direction":"up","congestion":"cubic","no_delay":true,"duration_s":2,"bandwidth_mbps":200}'
asking "UDP up" '{"protocol":"udp","direction":"up","duration_s":3,"bandwidth_mbps":50}'
asking "UDP down" '{"protocol":"udp","direction":"down","duration_s":3,"bandwidth_mbps":50}'
asking "UDP both ways, 2 streams" '{"protocol":"udp","direction":"bidirectional","streams":2,"duration_s":3,"bandwidth_mbps":10}'
answering "TCP up, full speed" forward -t 5
answering "TCP down, full speed" reverse -t 5 -R
answering "TCP both ways, 2 streams" forward -t 5 --bidir -P 2 -b 200M
answering "TCP up, 8 streams, omit 1" forward -t 5 -P 8 -O 1 -b 100M
answering "TCP down, 8 streams" reverse -t 5 -P 8 -R -b 100M
answering "TCP down, 100 Mbit/s" reverse -t 5 -R -b 100M
answering "TCP up, 50 MB" forward -n 50M -b 100M
answering "UDP up" forward -u -b 50M -l 1400 -t 5
answering "UDP down" reverse -u -b 50M -l 1400 -t 5 -R
answering "UDP both ways, 2 streams" forward -u -b 10M -l 1400 -t 5 --bidir -P 2
answering "UDP up, 64-bit counters" forward -u -b 20M -l 1400 -t 5 --udp-counters-64bit
[ -z "$broken" ] || { echo "iperf3 and ours do not agree"; exit 1; }
