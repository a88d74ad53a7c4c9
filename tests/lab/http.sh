#!/usr/bin/env bash
# Do `fetch` and `tls` time what curl times, and do `librespeed` and `responsiveness` read what a shaped line allows?
#
# First over loopback: curl's own timings (-w) beside ours, medians of the same number of fetches that take turns, from
# Python's HTTP server in plain text and from a peer of ours under TLS over HTTP/2. What is compared is what both programs
# mean by the words: connect (time_connect - time_namelookup), TLS (time_appconnect - time_connect; two libraries, so only
# the size is held), first byte (time_starttransfer - time_pretransfer).
#
# Then a client and a peer, each in a network namespace of its own, behind a router shaped by tbf as in throughput.sh: payload =
# rate x 1448 / 1514, of which HTTP's heads take a little more. The buffer holds 100 ms, so that a round trip under load takes
# about that: round trips a minute lie near 600, and the idle line's are tens of thousands.
#
# MACH=PROGRAM names Cloudflare's client for responsiveness (`mach`, cargo install cf-mach): it then asks the same peer over the
# same line after ours, and must come to the line's rate and to a like number of round trips a minute.
#
# use: http.sh [FETCHES]      30 unless told
set -euo pipefail
source "$(dirname "$0")/common.bash"
needs curl python3
count=${1:-30}
build_command
broken=0

peer() { # address, command before it...
    local address=$1
    shift
    cat >"$work/peer.toml" <<TOML
listen = ["$address"]
[tls]
names = ["$address"]
write_certificate_file = "ca.pem"
[service.librespeed]
port = 8989
[service.responsiveness]
port = 4043
TOML
    "$@" "$program" peer --config "$work/peer.toml" >"$work/peer" 2>&1 &
    started+=($!)
    until_it has responsiveness "$work/peer"
}
of() { # metric, field, of a JSON document
    python3 -c 'import json, sys
for sample in json.load(sys.stdin)["samples"]:
    if sample["metric"] == sys.argv[1]: print(sample[sys.argv[2]])' "$1" "$2"
}

head -c 20000 /dev/urandom >"$work/object"
python3 -u -c 'import http.server, functools, sys
class Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *rest): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=sys.argv[1]))
print("at", server.server_address[1])
server.serve_forever()' "$work" >"$work/python" 2>&1 &
started+=($!)
until_it has at "$work/python"
peer 127.0.0.1

printf '%-34s %12s %12s %12s\n' "medians of $count, ms" connect TLS "first byte"
compare() { # name, URL, bounds in microseconds for connect and first byte
    : >"$work/curl"
    : >"$work/ours"
    for _ in 1 2; do
        for _ in $(seq $((count / 2))); do
            curl -s -o /dev/null --cacert "$work/ca.pem" \
                -w '%{time_namelookup} %{time_connect} %{time_appconnect} %{time_pretransfer} %{time_starttransfer}\n' "$2" >>"$work/curl"
        done
        "$program" measure fetch "$2" --json -c $((count / 2)) -i 50ms --set "ca_file=\"$work/ca.pem\"" >"$work/json"
        for metric in connect_time tls_time first_byte_time; do of "$metric" p50_ms <"$work/json" >"$work/$metric"; done
        paste "$work/connect_time" "$work/tls_time" "$work/first_byte_time" >>"$work/ours"
    done
    theirs=$(awk '{ print ($2 - $1) * 1e3 }' "$work/curl" | median)
    theirs_tls=$(awk '{ print ($3 > 0 ? $3 - $2 : 0) * 1e3 }' "$work/curl" | median)
    theirs_first=$(awk '{ print ($5 - $4) * 1e3 }' "$work/curl" | median)
    ours=$(cut -f1 "$work/ours" | median) ours_tls=$(cut -f2 "$work/ours" | median) ours_first=$(cut -f3 "$work/ours" | median)
    printf '%-34s %12.3f %12.3f %12.3f\n' "$1, curl" "$theirs" "$theirs_tls" "$theirs_first"
    printf '%-34s %12.3f %12.3f %12.3f\n' "$1, ours" "$ours" "${ours_tls:-0}" "$ours_first"
    awk -v a="$ours" -v b="$theirs" -v c="$ours_first" -v d="$theirs_first" -v e="${ours_tls:-0}" -v f="$theirs_tls" \
        'BEGIN { exit !(a <= b + 0.075 && c <= d + 0.3 && e <= f + 3) }' || { echo "  a bound is broken"; broken=1; }
}
compare "plain, HTTP/1.1, Python's server" "http://127.0.0.1:$(awk '{ print $2 }' "$work/python")/object"
compare "TLS, HTTP/2, a peer of ours" "https://127.0.0.1:4043/nq/small"

shaped() {
    can_join || return 0
    command -v tc >/dev/null || { no "no tc here for the shaped line" || return 0; }
    join_by_router 3 4
    peer 10.99.4.2 ip netns exec "$far"
    rate=20
    for device in rc rp; do
        ip netns exec "$router" tc qdisc replace dev "$device" root tbf rate ${rate}mbit burst 10000 limit 250000
    done
    ip netns exec "$client" "$program" measure librespeed 10.99.4.2:8989 --json -t 6s >"$work/json"
    allowed=$(awk -v rate=$rate 'BEGIN { print rate * 1448 / 1514 }')
    for way in download upload; do
        rate_of=$(of "${way}_goodput" value_mbps <"$work/json")
        awk -v way="$way" -v rate="$rate_of" -v allowed="$allowed" 'BEGIN {
            printf "librespeed, %s: %.3f of %.3f Mbit/s, ratio %.3f\n", way, rate, allowed, rate / allowed
            exit !(rate > 0.9 * allowed && rate <= 1.002 * allowed) }' || { echo "  a bound is broken: 0.9 to 1.002"; broken=1; }
    done
    ip netns exec "$client" "$program" measure responsiveness 10.99.4.2:4043 --json \
        --set "ca_file=\"$work/ca.pem\"" --set interval_s=1 --set longest_s=15 >"$work/json" || true
    python3 - "$work/json" <<'PYTHON' || broken=1
import json, sys
bad = 0
for sample in json.load(open(sys.argv[1]))["samples"]:
    details, rpm = sample["details"], sample.get("value_rpm")
    if rpm is None:
        print("responsiveness,", sample["load"], "not measured:", sample.get("unmeasured"))
        bad = 1
        continue
    parts = {name: details[name]["trimmed_mean_ms"] for name in ("tcp_f", "tls_f", "http_f", "http_l")}
    print("responsiveness, %s: %.0f RPM (foreign %.0f, self %.0f), confidence %s, goodput stable %s, responsiveness stable %s, %.1f Mbit/s" % (
        sample["load"], rpm, details["rpm"]["foreign"], details["rpm"]["self"], details["confidence"],
        details["goodput_stable"], details["responsiveness_stable"], details["goodput_bps"] / 1e6))
    print("  trimmed means, ms:", ", ".join("%s %.1f" % (name, value) for name, value in parts.items()))
    # The buffer holds 100 ms at this rate; a foreign TCP handshake waits for it and for little else.
    if not (60 <= parts["tcp_f"] <= 130 and 150 <= rpm <= 1_200):
        print("  a bound is broken: tcp_f 60 to 130 ms, 150 to 1200 RPM")
        bad = 1
sys.exit(bad)
PYTHON
    [ -n "${MACH:-}" ] || { no "MACH does not name Cloudflare's client" || return 0; }
    for _ in 1 2 3; do
        ip netns exec "$client" "$MACH" rpm -c https://10.99.4.2:4043/.well-known/nq --insecure --disable-aim-scores \
            --test-duration 15000 >"$work/mach" 2>"$work/mach.said" || grep -A1 panicked "$work/mach.said" || true
        [ ! -s "$work/mach" ] || break
    done
    python3 - "$work/json" "$work/mach" "$allowed" <<'PYTHON' || broken=1
import json, sys
ours = {sample["load"]: sample for sample in json.load(open(sys.argv[1]))["samples"]}
theirs, allowed, bad = json.load(open(sys.argv[2])), float(sys.argv[3]), 0
for way, load in (("download", "down"), ("upload", "up")):
    rate, rpm, our_rpm = theirs[way]["throughput"] / 1e6, theirs[way]["rpm"], ours[load]["value_rpm"]
    print("mach, %s: %.0f RPM beside our %.0f, %.1f of %.3f Mbit/s" % (way, rpm, our_rpm, rate, allowed))
    if not rpm > 0 or (load == "down" and not 0.8 <= rate / allowed <= 1.1):
        print("  a bound is broken: a figure each way, the download 0.8 to 1.1 of the rate")
        bad = 1
sys.exit(bad)
PYTHON
}
shaped
exit $broken
