#!/usr/bin/env bash
# Does our ndt7 server serve M-Lab's own client, and do both count the same? Over loopback, in plain text: npm's
# @m-lab/ndt7 (ndt7-js) in node against `peers answer ndt7`, then our own client against the same server. A row fails where
# a test is refused, or where two counts of one test differ by more than 2 %: ndt7-js counts whole messages of up to a
# megabyte, four times a second.
#
# Our download must be at least as fast as theirs, or 10 Gbit/s.
#
# NDT7_JS=FOLDER names a copy of the package; otherwise it is fetched with npm into a temporary folder.
set -uo pipefail
source "$(dirname "$0")/common.bash"
needs node python3
package=${NDT7_JS:-}
if [ -z "$package" ]; then
    (cd "$work" && npm init -y && npm install @m-lab/ndt7@0.1.4) >"$work/npm" 2>&1 ||
        skip "@m-lab/ndt7 cannot be fetched: $(tail -1 "$work/npm")"
    package=$work/node_modules/@m-lab/ndt7
fi
build --example peers
program=$built/examples/peers
mkfifo "$work/stay"
"$program" answer ndt7 "127.0.0.1:$port" <"$work/stay" >/dev/null &
started+=($!)
exec 9>"$work/stay"
until_it listens "$port"

node --experimental-websocket --no-warnings tests/lab/ndt7/client.cjs "$package" "127.0.0.1:$port" >"$work/theirs"
"$program" measure ndt7 "127.0.0.1:$port" '{"tls":false}' >"$work/ours"
exec 9>&-
python3 - "$work/theirs" "$work/ours" <<'PY'
"""Prints each test's two counts; ends with 1 where they differ."""
import json, sys

bad = []


def row(who, way, counted, other, of_whom):
    apart = counted / other - 1
    print(f"{who:<22} {way:<9} {counted:10.1f} Mbit/s, {of_whom} {other:10.1f}, {apart:+7.2%}")
    if abs(apart) > 0.02:
        bad.append(f"{who} {way}")


theirs = json.load(open(sys.argv[1]))
if theirs.get("error") or theirs["code"]:
    sys.exit(f"ndt7-js: {theirs}")
down, up = theirs["download"], theirs["upload"]
tcp = down["server"]["TCPInfo"]
row("ndt7-js asks", "download", down["client"]["MeanClientMbps"], tcp["BytesAcked"] * 8 / tcp["ElapsedTime"],
    "the server's kernel says")
tcp, app = up["server"]["TCPInfo"], up["server"]["AppInfo"]
row("ndt7-js asks", "upload", tcp["BytesReceived"] * 8 / tcp["ElapsedTime"], app["NumBytes"] * 8 / app["ElapsedTime"],
    "the server itself says  ")
for line in open(sys.argv[2]):
    sample = json.loads(line)
    if sample["metric"].endswith("goodput"):
        if not isinstance(sample["value"], (int, float)):
            sys.exit(f"ours: {sample['value']}")
        print(f"{'ours asks':<22} {sample['metric'].split('_')[0]:<9} {sample['value']:10.1f} Mbit/s")
        if sample["metric"].startswith("down") and sample["value"] < min(10_000, down["client"]["MeanClientMbps"]):
            sys.exit("our download is slower than theirs, and than 10 Gbit/s")
sys.exit(f"counts differ: {', '.join(bad)}" if bad else 0)
PY
