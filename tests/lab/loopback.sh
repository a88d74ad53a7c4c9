#!/usr/bin/env bash
# Is `throughput` at least as fast as iperf3 over loopback, with the same number of streams, at no more CPU per gigabyte?
# Both sides' CPU together, user and system; the two tools take turns, five rounds, medians. iperf3 sends upstream, as
# it does by default; ours goes each way. Both sender loops copy; the receivers differ: iperf3 copies what it receives to
# a buffer, ours lets the kernel throw it away (newer versions of iperf3 do the same on --skip-rx-copy).
#
# use: loopback.sh [ROUNDS]
set -euo pipefail
source "$(dirname "$0")/common.bash"
needs iperf3
rounds=${1:-5}
build --example streams
program=$built/examples/streams
TIMEFORMAT='%U %S'
mkfifo "$work/stay"

cpu() { awk '{ sum += $1 + $2 } END { print sum }' "$work/server" "$work/client"; }

theirs() {
    { time iperf3 -s -p "$port" -1 >/dev/null 2>&1; } 2>"$work/server" &
    started=($!)
    until_it listens "$port"
    { time iperf3 -c 127.0.0.1 -p "$port" -P 8 -t 5 -f m >"$work/iperf3" 2>/dev/null; } 2>"$work/client"
    wait
    # [SUM]   0.00-5.00   sec  11.0 GBytes  18900 Mbits/sec   receiver; its Mbit are 10^6 bits
    awk -v cpu="$(cpu)" '/SUM.*receiver/ { for (i = 2; i <= NF; i++) if ($i == "Mbits/sec") rate = $(i - 1)
        print rate / 1000, cpu / (rate * 5 / 8000) }' "$work/iperf3" >>"$work/iperf3.rows"
    port=$((port + 1))
}
ours() { # direction
    { time "$program" peer "127.0.0.1:$port" <"$work/stay" >/dev/null; } 2>"$work/server" &
    started=($!)
    exec 9>"$work/stay"
    until_it listens "$port"
    { time "$program" row "127.0.0.1:$port" "{\"direction\":\"$1\",\"duration_s\":5.0}" >"$work/row"; } 2>"$work/client"
    exec 9>&-
    wait
    awk -F'\t' -v cpu="$(cpu)" '{ print $2 / 1000, cpu / ($6 / 1e9) }' "$work/row" >>"$work/$1.rows"
    port=$((port + 1))
}

for _ in $(seq "$rounds"); do
    theirs
    ours down
    ours up
done
printf '%-12s %8s %14s\n' "8 streams" Gbit/s "CPU s per GB"
for who in iperf3 down up; do
    rate=$(cut -d' ' -f1 "$work/$who.rows" | median) cost=$(cut -d' ' -f2 "$work/$who.rows" | median)
    printf '%-12s %8.2f %14.3f\n' "${who/#down/ours, down}" "$rate" "$cost" | sed 's/^up  /ours, up/'
    [ "$who" = iperf3 ] && { rate_theirs=$rate cost_theirs=$cost; continue; }
    awk -v a="$rate" -v b="$rate_theirs" -v c="$cost" -v d="$cost_theirs" -v who="$who" 'BEGIN {
        printf "  %s: %.2f of the rate, %.2f of the CPU per gigabyte\n", who, a / b, c / d
        exit !(a >= b && c <= d) }' || broken=1
done
[ -z "${broken:-}" ] || { echo "a bound is broken: at least iperf3's rate, at no more CPU per gigabyte"; exit 1; }
