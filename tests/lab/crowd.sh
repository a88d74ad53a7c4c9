#!/usr/bin/env bash
# One agent follows 2,000 targets at a packet a second each, over the loopback (127.0.0.0/8), for a minute: how much of a
# core does it take, how much memory, and is every slot in the books? Needs no root. Linux answers on every address
# of 127.0.0.0/8, so that one reflector is two thousand targets.
#
#   tests/lab/crowd.sh [METHOD] [TARGETS]       METHOD is stamp (default) or ping, TARGETS 2000
#
# To reach: at most one core, under 200 MB, planned = sent + missed. LAB_PROFILE=dev uses the debug build.
set -euo pipefail
source "$(dirname "$0")/common.bash"
method=${1:-stamp}
targets=${2:-2000}
needs python3
build_command
printf 'a-token-of-the-lab-0123456789abcdef\n' >"$work/token"
cat >"$work/collector.toml" <<C
listen = "127.0.0.1:0"
store = "$work/store.db"
token_file = "token"
address_file = "$work/address"
C
"$program" collector --config "$work/collector.toml" >"$work/collector.log" 2>&1 &
started+=($!)
"$program" peer --listen 0.0.0.0 --stamp-port 8698 --throughput-port 8699 >"$work/peer.log" 2>&1 &
started+=($!)
{ until_it test -s "$work/address" && until_it has answering "$work/peer.log"; } || { cat "$work"/*.log >&2; exit 1; }
# Runs of 29 s every 30 s: a packet a second, but for one second in thirty.
python3 - "$work" "$method" "$targets" <<'P'
import sys
work, method, targets = sys.argv[1], sys.argv[2], int(sys.argv[3])
port = ":8698" if method == "stamp" else ""
out = [f'''agent = "crowd"
[collector]
url = "http://{open(work + "/address").read().strip()}/"
token_file = "token"
[spool]
dir = "spool"
[[line]]
line_id = "lab"
operator = "A"
''']
for n in range(targets):
    address = f"127.{1 + n // 62500}.{n // 250 % 250}.{1 + n % 250}"
    out.append(f'[[target]]\nname = "t{n}"\naddress = "{address}{port}"\n'
               f'[[task]]\nmethod = "{method}"\ntarget = "t{n}"\nschedule = {{ every = "30s" }}\n'
               f'settings = {{ per_second = 1.0, count = 29, timeout_ms = 900.0 }}\n')
open(work + "/agent.toml", "w").write("\n".join(out))
P
(cd "$work" && exec "$program" agent --config agent.toml >"$work/agent.log" 2>&1) &
agent=$!
started+=("$agent")
# Every task is under way after half a minute; then a minute is watched.
sleep 35
ticks() { awk '{print $14 + $15}' "/proc/$agent/stat"; }
before=$(ticks)
sleep 60
after=$(ticks)
hz=$(getconf CLK_TCK)
rss=$(awk '/VmHWM/ {print $2}' "/proc/$agent/status")
threads=$(awk '/Threads/ {print $2}' "/proc/$agent/status")
# What runs is asked to end, and spooled and sent.
kill -INT "$agent"
wait "$agent" || true
python3 - "$work" "$method" "$targets" "$before" "$after" "$hz" "$rss" "$threads" <<'P'
import json, sqlite3, sys
work, method, targets, before, after, hz, rss, threads = sys.argv[1:]
db = sqlite3.connect(f"file:{work}/store.db?mode=ro", uri=True)
rows = db.execute("""SELECT COUNT(DISTINCT target), COUNT(*), SUM(planned), SUM(sent), SUM(missed), SUM(received), SUM(lost)
    FROM result WHERE metric = (SELECT id FROM metric WHERE name = 'round_trip_delay')""").fetchone()
met, runs, planned, sent, missed, received, lost = rows
health = json.loads(db.execute("SELECT health FROM agent").fetchone()[0])
core, mib = (int(after) - int(before)) / int(hz) / 60, int(rss) / 1024
print(f"{method}: {targets} targets, {met} measured in {runs} runs; {threads} threads")
print(f"slots planned {planned}, sent {sent}, missed {missed}, received {received}, lost {lost}")
print(f"cpu {core:.3f} of a core, memory at most {mib:.0f} MiB, packets late at p99 {health['send_lateness_p99_ms']} ms")
print(f"runs planned {health['runs_planned']}, done {health['runs_done']}, late {health['runs_late']}, missed {health['runs_missed']}")
broken = []
if planned != sent + missed: broken.append("a slot is not in the books")
if met != int(targets): broken.append("a target was not measured")
if core > 1.0: broken.append("more than a core")
if mib >= 200: broken.append("200 MiB or more")
sys.exit("bound broken: " + ", ".join(broken) if broken else 0)
P
