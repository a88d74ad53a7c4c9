#!/bin/sh
# Holds IP-layer capacity against a shaper, in two network namespaces joined by a virtual cable. Needs root, ip and tc.
#
# tbf counts the 14 bytes of the Ethernet header too, so that of its rate 1250/1264 are the IP layer's with packets of 1250
# bytes. To reach: 0.98 to 1.00 of that, and never above it by more than the bucket lets through in a second.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ "$(id -u)" != 0 ]; then
    echo "skipped: needs root for network namespaces" >&2
    exit 0
fi
cd "$root"
if [ "${LAB_PROFILE:-release}" = release ]; then cargo build -q --release --bin broadgauge; dir=release
else cargo build -q --bin broadgauge; dir=debug; fi
tool=${BROADGAUGE:-${CARGO_TARGET_DIR:-target}/$dir/broadgauge}
command -v python3 >/dev/null || { echo "skipped: no python3 to read the results with" >&2; exit 0; }
work=$(mktemp -d)
near=bgn$$ far=bgf$$ peer=
finish() {
    [ -z "$peer" ] || kill $peer 2>/dev/null || true
    ip netns del $near 2>/dev/null || true
    ip netns del $far 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT INT TERM
ip netns add $near
ip netns add $far
ip -n $near link add eth0 type veth peer name eth0 netns $far
ip -n $near addr add 10.97.0.1/24 dev eth0
ip -n $far addr add 10.97.0.2/24 dev eth0
for ns in $near $far; do
    ip -n $ns link set lo up
    ip -n $ns link set eth0 up
done
ip netns exec $far "$tool" peer --listen 10.97.0.2 --serve capacity >"$work/peer.log" 2>&1 &
peer=$!
tries=0
until grep -q 'answering capacity' "$work/peer.log"; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { cat "$work/peer.log" >&2; exit 1; }
    sleep 0.1
done
broken=0
# shape DOWN UP BUFFER
shape() {
    ip netns exec $far tc qdisc replace dev eth0 root tbf rate "$1mbit" burst 10kb latency "$3ms"
    ip netns exec $near tc qdisc replace dev eth0 root tbf rate "$2mbit" burst 10kb latency "$3ms"
    ip netns exec $near "$tool" measure capacity 10.97.0.2 --json >"$work/out.json"
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
