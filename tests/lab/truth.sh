#!/usr/bin/env bash
# The truth table: what does each tool measure over lines of known properties, and what went over the wire?
#
# A client and a server, each in a network namespace, joined by a line of the project's own (probes/examples/lab): four
# of them, in lines/S1 to S4. The truth is a capture on the client's own interface, and for what was lost where, the line's
# ledger. Tools run at real-time priority, so that the tool is judged and not a busy machine, but for the rows named
# "busy", where both cores are kept busy and no tool has priority. Packet tools send 100 a second.
#
# Prints one table of delays, one of rates with the delay under load, one of the cost of bytes over a bare cable; the
# medians of ours are held to the bounds in probes/examples/lab/table.rs.
#
# use: truth.sh [--full]     short: one run of each, cubic, about 8 minutes; full: five, bbr and cubic, about 50 minutes.
#      LINES="S1 S2" takes only those lines, PARTS="delay busy connection load cost" only those parts; REPEAT=3 and CONTROL="bbr cubic" say
#      how often and with which congestion control; ROWS=FILE adds to the rows of earlier runs, and the table is of all.
set -euo pipefail
source "$(dirname "$0")/common.bash"
can_join || exit 0
needs tcpdump ping fping irtt iperf3 chrt curl python3
[ -c /dev/net/tun ] || skip "needs /dev/net/tun"
if [ "${1:-}" = --full ]; then repeat=5 seconds=10 load=10 controls="bbr cubic" peers_load=10
else repeat=1 seconds=10 load=10 controls=cubic peers_load=5; fi
repeat=${REPEAT:-$repeat} controls=${CONTROL:-$controls}

near=bgt$$n far=bgt$$f
spaces=("$near" "$far")
ip netns add "$near"
ip netns add "$far"
chrt -f 10 true 2>/dev/null || skip "needs real-time priority"

build --example lab --bin broadgauge
lab=$built/examples/lab ours=$built/broadgauge
# Head and body in one packet, so that the first byte of the answer is on the wire when the first of the body is.
page='import socketserver, sys
class Page(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline() not in (b"", b"\r\n"): pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n" + 1000 * b"x")
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer((sys.argv[1], 8000), Page).serve_forever()'
client=10.98.0.1 server=10.98.0.2
rows=${ROWS:-$work/rows.jsonl}
touch "$rows"
TIMEFORMAT='%R %U %S'
in_near() { ip netns exec "$near" "$@"; }
in_far() { ip netns exec "$far" "$@"; }
now() { date +%s.%N; }

line_up() { # line: the line, and everybody who answers at its far end
    mkfifo "$work/hold"
    chrt -f 20 "$lab" line "$near" "$far" "tests/lab/lines/$1.toml" "$work/ledger" <"$work/hold" >"$work/ready" &
    exec 9>"$work/hold"
    until_it has ready "$work/ready"
    ip -n "$near" address add "$client/30" dev line0
    ip -n "$far" address add "$server/30" dev line0
    for namespace in "$near" "$far"; do
        ip -n "$namespace" link set lo up
        ip -n "$namespace" link set line0 txqueuelen 5000 up
    done
    answer
    until_it in_near ping -q -c 1 -W 1 "$server"
}
answer() {
    chrt -f 10 ip netns exec "$far" "$ours" peer --listen "$server" --packets-per-address 20000 --packets-in-total 50000 >/dev/null 2>"$work/peer" &
    started+=($!)
    chrt -f 10 ip netns exec "$far" irtt server -b "$server:2112" >/dev/null 2>&1 &
    started+=($!)
    chrt -f 10 ip netns exec "$far" iperf3 -s -B "$server" >/dev/null 2>&1 &
    started+=($!)
    chrt -f 10 ip netns exec "$far" python3 -c "$page" "$server" >/dev/null 2>&1 &
    started+=($!)
    until_it in_far sh -c "ss -Hltn | grep -q :8000 && ss -Hltn | grep -q :5201 && ss -Hlun | grep -q :2112 && ss -Hlun | grep -q :862"
}
line_down() {
    exec 9>&-
    stop_started
    wait # the line ends when nobody holds its standard input any more
    rm -f "$work/hold"
}

capture() { # filter: starts one
    : >"$work/tcpdump"
    ip netns exec "$near" tcpdump -i line0 --nano -B 8192 -s 160 -w "$work/pcap" "$1" 2>"$work/tcpdump" &
    dump=$!
    until_it has listening "$work/tcpdump"
}
captured() { # the kernel hands packets over once a second, for handing over each at once would delay them
    sleep 1.2
    kill -INT "$dump"
    wait "$dump" || true
}

priority="chrt -f 10"
# shellcheck disable=SC2086 # a priority and a namespace are several words
run_tool() { # tool, to "$work/result"; its CPU to "$work/cpu"
    local count=$((seconds * 100)) near_do="ip netns exec $near"
    case $1 in
        stamp) set -- $priority $near_do "$ours" measure stamp "$server" -i 10ms -t "${seconds}s" -W 1s --json --singletons ;;
        our_ping) set -- $priority $near_do "$ours" measure ping "$server" -i 10ms -t "${seconds}s" -W 1s --json --singletons ;;
        ping) set -- $priority $near_do ping -n -i 0.01 -W 1 -c "$count" "$server" ;;
        fping) set -- $priority $near_do fping -q -C "$count" -p 10 -t 1000 "$server" ;;
        # It may never end, at a priority that nothing of the same priority ends, and its server with it.
        irtt) set -- chrt -f 20 timeout -k 1 "$((seconds + 20))" ${priority:-nice -n 0} $near_do irtt client -Q -i 10ms -d "${seconds}s" --wait=1s -o "$work/irtt.json" "$server:2112" ;;
    esac
    { time "$@" >"$work/result" 2>"$work/said" || true; } 2>"$work/cpu"
}
delay_row() { # line, tool, name
    local filter
    case $2 in stamp) filter="udp port 862" ;; irtt) filter="udp port 2112" ;; *) filter=icmp ;; esac
    capture "$filter"
    run_tool "$2"
    captured
    case $2 in fping) cp "$work/said" "$work/result" ;; irtt) cp "$work/irtt.json" "$work/result" ;; esac
    if [ "$2" = irtt ] && [ ! -s "$work/result" ]; then
        echo "irtt over $1: no result, it did not end; this run has none" >&2
        ip netns pids "$far" | xargs -r kill -KILL
        stop_started
        answer
        return
    fi
    read -r _ user system <"$work/cpu"
    "$lab" delay "{\"tool\":\"$2\",\"name\":\"$3\",\"scenario\":\"$1\",\"capture\":\"$work/pcap\",\"result\":\"$work/result\",
        \"ledger\":\"$work/ledger\",\"seconds\":$seconds,\"cpu_ms\":$(awk "BEGIN { print ($user + $system) * 1000 }")}" >>"$rows"
}
delay_rows() { # name of the rows
    delay_row "$1" stamp stamp
    delay_row "$1" our_ping "ping, ours"
    delay_row "$1" ping "ping (iputils)"
    delay_row "$1" fping fping
    delay_row "$1" irtt irtt
}
connection_rows() { # line; each page is a connection of its own
    local url="http://$server:8000/page" ours_json="--json --singletons -c $((seconds * 20)) -i 50ms"
    # shellcheck disable=SC2086 # several words
    for tool in connect fetch curl; do
        capture "tcp port 8000"
        case $tool in
            connect) $priority ip netns exec "$near" "$ours" measure connect "$server:8000" $ours_json >"$work/result" ;;
            fetch) $priority ip netns exec "$near" "$ours" measure fetch "$url" $ours_json >"$work/result" ;;
            curl) for _ in $(seq $((seconds * 20))); do
                $priority ip netns exec "$near" curl -s -o /dev/null "$url" \
                    -w '%{time_namelookup} %{time_connect} %{time_pretransfer} %{time_starttransfer}\n'
            done >"$work/result" ;;
        esac
        captured
        case $tool in
            curl) connection_row "$1" curl_connect curl && connection_row "$1" curl_fetch curl ;;
            *) connection_row "$1" $tool $tool ;;
        esac
    done
}
connection_row() { # line, tool, name
    "$lab" connection "{\"tool\":\"$2\",\"name\":\"$3\",\"scenario\":\"$1\",\"capture\":\"$work/pcap\",\"result\":\"$work/result\",\"port\":8000}" >>"$rows"
}
load_rows() { # line, control
    local from to
    capture "udp port 862"
    from=$(now)
    chrt -f 10 ip netns exec "$near" "$ours" measure throughput "$server" --set "congestion=$2" --set "duration_s=$load.0" \
        --json --singletons >"$work/result" 2>"$work/said" || cat "$work/said" >&2
    to=$(now)
    captured
    [ -z "${KEEP:-}" ] || cp "$work/result" "$work/result-$1-$2"
    "$lab" throughput "{\"name\":\"broadgauge\",\"scenario\":\"$1\",\"line\":\"tests/lab/lines/$1.toml\",\"control\":\"$2\",
        \"result\":\"$work/result\",\"capture\":\"$work/pcap\",\"seconds\":$(awk "BEGIN { print $to - $from }")}" >>"$rows"
    for way in down up; do
        # shellcheck disable=SC2046 # a flag or nothing
        chrt -f 10 ip netns exec "$near" iperf3 -c "$server" -J -P 8 -t "$peers_load" -C "$2" \
            $([ $way = down ] && echo -R) >"$work/result" 2>/dev/null || true
        "$lab" throughput "{\"name\":\"iperf3\",\"scenario\":\"$1\",\"line\":\"tests/lab/lines/$1.toml\",\"control\":\"$2\",
            \"result\":\"$work/result\",\"way\":\"$way\",\"seconds\":$peers_load}" >>"$rows"
    done
}

# A bare virtual cable with segmentation offload. Pacing is a timer of the kernel's for each burst, which under bbr costs
# more than the bytes: hence both controls.
cost_rows() {
    ip -n "$near" link add bare type veth peer name bare netns "$far"
    ip -n "$near" address add 10.98.1.1/30 dev bare
    ip -n "$far" address add 10.98.1.2/30 dev bare
    ip -n "$near" link set bare up
    ip -n "$far" link set bare up
    ip netns exec "$far" "$ours" peer --listen 10.98.1.2 --throughput-port 8620 >/dev/null 2>&1 &
    started+=($!)
    ip netns exec "$far" iperf3 -s -B 10.98.1.2 >/dev/null 2>&1 &
    started+=($!)
    until_it in_far sh -c "ss -Hltn | grep -q 10.98.1.2:5201 && ss -Hltn | grep -q 10.98.1.2:8620"
    for _ in $(seq "$repeat"); do for control in cubic bbr; do for way in down up; do
        { time in_near "$ours" measure throughput 10.98.1.2:8620 --direction $way -t 3s --set "congestion=$control" \
            --set idle_s=0 --set delay_per_second=0 --json >"$work/result" 2>/dev/null; } 2>"$work/cpu"
        cost broadgauge $way $control "$(grep -o '"bytes_moved": *[0-9]*' "$work/result" | grep -o '[0-9]*')"
        # shellcheck disable=SC2046 # a flag or nothing
        { time in_near iperf3 -c 10.98.1.2 -J -P 8 -t 3 -C $control $([ $way = down ] && echo -R) >"$work/result"; } 2>"$work/cpu"
        cost iperf3 $way $control "$(awk '/"sum_received"/ { found = 1 } found && /"bytes"/ { gsub(/[^0-9]/, "", $2); print $2; exit }' "$work/result")"
    done; done; done
    stop_started
}
cost() { # tool, way, congestion control, bytes: CPU of the client over what it moved in 3 s
    read -r _ user system <"$work/cpu"
    awk -v tool="$1" -v way="$2" -v control="$3" -v bytes="$4" -v cpu="$(awk "BEGIN { print $user + $system }")" 'BEGIN {
        printf "{\"kind\":\"cost\",\"tool\":\"%s\",\"way\":\"%s\",\"control\":\"%s\",\"gbps\":%f,\"core_seconds_per_gbit\":%f}\n", tool, way, control, bytes * 8 / 3e9, cpu / (bytes * 8 / 1e9) }' >>"$rows"
}

part() { [[ " ${PARTS:-delay busy connection load cost} " = *" $1 "* ]]; }

for line in ${LINES-S1 S2 S3 S4}; do
    line_up "$line"
    if part delay; then for _ in $(seq "$repeat"); do delay_rows "$line"; done; fi
    if [ "$line" = S1 ] && part busy; then
        priority=
        for _ in 1 2; do ( while :; do :; done ) & started+=($!); busy+=($!); done
        for _ in $(seq "$repeat"); do delay_rows "$line busy"; done
        kill "${busy[@]}"
        priority="chrt -f 10"
    fi
    # Where nothing is lost, and so no packet of a handshake is sent twice.
    if { [ "$line" = S1 ] || [ "$line" = S3 ]; } && part connection; then for _ in $(seq "$repeat"); do connection_rows "$line"; done; fi
    if [ "$line" != S4 ] && part load; then
        for control in $controls; do for _ in $(seq "$repeat"); do load_rows "$line" "$control"; done; done
    fi
    line_down
done
if part cost; then cost_rows; fi
[ -z "${KEEP:-}" ] || echo "kept: $work"
printf '%s, %s, %d cores, kernel %s, %s build, %d run(s) of each\n\n' "$(date -u +%F)" \
    "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)" "$(nproc)" "$(uname -r)" "$profile" "$repeat"
"$lab" table "$rows"
