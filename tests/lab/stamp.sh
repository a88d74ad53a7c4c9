#!/usr/bin/env bash
# Does STAMP speak to another implementation of it? scapy's (Python, PyPI), over loopback, each asking and each answering: scapy
# reads our packets by its own layout and builds the others. A field that is not what the RFCs ask for ends it.
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
exit $broken
