#!/usr/bin/env bash
# Does STAMP speak to another implementation of it? scapy's (Python, PyPI), over loopback, each asking and each answering: scapy
# reads our packets by its own layout and builds the others. A field that is not what the RFCs ask for ends it.
#
# STAMP_SUITE=PROGRAM names another one (Rust, `cargo install stamp-suite`), which then does the same: in the open, with TLVs and with
# HMAC, each way; every probe must be answered, and both ends must count alike.
#
# PYTHON=PROGRAM names a Python that has scapy; otherwise scapy 2.6 or later is fetched with pip into a temporary folder.
set -uo pipefail
source "$(dirname "$0")/common.bash"
needs python3
python=${PYTHON:-}
if [ -z "$python" ]; then
    { python3 -m venv "$work/v" && "$work/v/bin/pip" -q install 'scapy>=2.6'; } >"$work/pip" 2>&1 ||
        skip "scapy cannot be fetched: $(tail -1 "$work/pip")"
    python=$work/v/bin/python
fi
build_command
broken=0

"$program" peer --listen 127.0.0.1 --stamp-port $port --throughput-port $((port + 1)) >"$work/peer" 2>&1 &
started+=($!)
until_it has answering "$work/peer"
"$python" tests/lab/stamp.py send $port 40 || broken=1

"$python" tests/lab/stamp.py reflect $((port + 2)) 40 >"$work/reflector" 2>&1 &
reflector=$!
started+=("$reflector")
until_it has ready "$work/reflector"
"$program" measure stamp "127.0.0.1:$((port + 2))" -c 40 -i 20ms --json >"$work/json"
wait $reflector || broken=1
tail -n +2 "$work/reflector"
python3 - "$work/json" <<'PY' || broken=1
import json, sys

sample = json.load(open(sys.argv[1]))["samples"][0]
counts = sample["counts"]
print(f"ours read {counts['received']} of {counts['sent']} answers of scapy, median {sample['p50_ms']} ms")
good = counts["received"] == counts["sent"] and counts["sent"] + counts["missed"] == 40 and counts["sent"] > 20
sys.exit(0 if good and 0 < sample["p50_ms"] < 1_000 else "an answer was not understood")
PY
[ -n "${STAMP_SUITE:-}" ] || { no "STAMP_SUITE does not name that program" || exit $broken; }
# The same key: its sixteen bytes for ours, in hexadecimal for theirs, which only reads what nobody else may.
printf 'a key of the lab' >"$work/key"
printf '61206b6579206f6620746865206c6162' >"$work/key.hex"
chmod 600 "$work/key" "$work/key.hex"
"$program" peer --listen 127.0.0.1 --stamp-port $((port + 3)) --throughput-port $((port + 4)) --key-file "$work/key" >"$work/peer2" 2>&1 &
started+=($!)
until_it has answering "$work/peer2"
suite_asks() { # name, port, flags...
    local name=$1 to=$2
    shift 2
    "$STAMP_SUITE" -r 127.0.0.1 -p "$to" -c 40 -d 20ms -L 1 --output-format json "$@" >"$work/suite" 2>"$work/suite.said" || broken=1
    python3 - "$work/suite" "$name" <<'PY' || { tail -3 "$work/suite.said"; broken=1; }
import json, sys

last = json.loads(open(sys.argv[1]).read().splitlines()[-1])
print(f"stamp-suite read {last['packets_received']} of {last['packets_sent']} answers of ours, {sys.argv[2]}, median {last['median_rtt_ms']} ms")
sys.exit(0 if last["packets_received"] == last["packets_sent"] == 40 else "an answer was not understood")
PY
}
we_ask() { # name, flags of theirs, flags of ours...
    local name=$1 flags=$2
    shift 2
    # shellcheck disable=SC2086 # flags are several words
    "$STAMP_SUITE" -i -S 127.0.0.1 -o $((port + 5)) --stateful-reflector $flags >"$work/suite" 2>&1 &
    local reflector=$!
    started+=("$reflector")
    until_it has listening "$work/suite"
    "$program" measure stamp "127.0.0.1:$((port + 5))" -c 40 -i 20ms --json "$@" >"$work/json" || broken=1
    kill "$reflector" 2>/dev/null
    wait "$reflector" 2>/dev/null
    python3 - "$work/json" "$name" <<'PY' || broken=1
import json, sys

samples = json.load(open(sys.argv[1]))["samples"]
counts, details = samples[0]["counts"], samples[0]["details"]
print(f"ours read {counts['received']} of {counts['sent']} answers of stamp-suite, {sys.argv[2]}, median {samples[0]['p50_ms']} ms; "
      f"it says {details.get('extensions')}")
good = counts["received"] == counts["sent"] and counts["sent"] + counts["missed"] == 40 and counts["sent"] > 20
ways = {s["direction"]: s["counts"]["lost"] for s in samples if s["metric"] == "loss_ratio"}
sys.exit(0 if good and ways == {"round_trip": 0, "up": 0, "down": 0} and details["unrecognised"] == 0 else f"not understood: {counts} {ways} {details}")
PY
}
suite_asks "in the open" $port
suite_asks "with TLVs" $port --ssid 4711 --location --timestamp-info --cos --dscp 46 --direct-measurement --extra-padding 32
suite_asks "with HMAC" $((port + 3)) -A A --hmac-key-file "$work/key.hex"
suite_asks "with HMAC and TLVs" $((port + 3)) -A A --hmac-key-file "$work/key.hex" --location --timestamp-info --extra-padding 32
tlvs=(--set location=true --set timestamp_information=true --set reply_dscp=46 --set direct_measurement=true)
we_ask "in the open" ""
we_ask "with TLVs" "" "${tlvs[@]}"
we_ask "with HMAC" "-A A --hmac-key-file $work/key.hex" --key-file "$work/key"
we_ask "with HMAC and TLVs" "-A A --hmac-key-file $work/key.hex" --key-file "$work/key" "${tlvs[@]}"
exit $broken
