#!/usr/bin/env bash
# Holds IP-layer capacity against a shaper, in two network namespaces joined by a virtual cable. Needs root, ip and tc.
#
# tbf counts the 14 bytes of the Ethernet header too, so that of its rate 1250/1264 are the IP layer's with packets of 1250
# bytes. To reach: 0.98 to 1.00 of that, and never above it by more than the bucket lets through in a second.
set -euo pipefail
source "$(dirname "$0")/common.bash"
can_join || exit 0
needs tc python3
build_command
join_two 97
ip netns exec "$far" "$program" peer --listen 10.97.0.2 --serve capacity >"$work/peer.log" 2>&1 &
started+=($!)
until_it has 'answering capacity' "$work/peer.log" || { cat "$work/peer.log" >&2; exit 1; }
broken=0
# shape DOWN UP BUFFER
shape() {
    ip netns exec "$far" tc qdisc replace dev eth0 root tbf rate "${1}mbit" burst 10kb latency "${3}ms"
    ip netns exec "$near" tc qdisc replace dev eth0 root tbf rate "${2}mbit" burst 10kb latency "${3}ms"
    ip netns exec "$near" "$program" measure capacity 10.97.0.2 --json >"$work/out.json"
    python3 - "$work/out.json" "$@" <<'P' || broken=1
import json, sys
out = json.load(open(sys.argv[1]))
wrong = []
for metric, shaped in (("download_capacity", float(sys.argv[2])), ("upload_capacity", float(sys.argv[3]))):
    truth = shaped * 1250 / 1264
    best, mean = [s for s in out["samples"] if s["metric"] == metric]
    value = best["value_mbps"] if "value_mbps" in best else next(v for k, v in best.items() if k.startswith("value_"))
    middle = next(v for k, v in mean.items() if k.startswith("value_"))
    c, d = best["counts"], best["details"]
    print(f'{metric:18} shaped {shaped:6.0f}, allowed {truth:7.2f}, best second {value:7.2f} ({value / truth:.4f}), mean {middle:7.2f}, '
          f'lost {c["lost"]}/{c["sent"]}, delay above least {d["worst_mean_delay_above_least_ms"]:.0f} ms, skipped here {d["packets_skipped_by_this_machine"]}')
    # The bucket of 10 kB is full at the start of a second at most once.
    if not 0.98 <= value / truth <= 1.0 + 80e3 / (truth * 1e6) + 0.001: wrong.append(metric)
sys.exit("bound broken: " + ", ".join(wrong) if wrong else 0)
P
}
shape 20 2 300
shape 100 20 100
shape 300 100 50
exit $broken
