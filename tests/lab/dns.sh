#!/bin/sh
# Times unbound on the loopback over UDP, TCP, TLS and HTTPS, beside dig in the same run, and sees that a cut answer is asked
# for again over TCP. Needs unbound, dig and openssl; no root.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
if [ "${LAB_PROFILE:-release}" = release ]; then cargo build -q --release --bin broadgauge; dir=release
else cargo build -q --bin broadgauge; dir=debug; fi
tool=${BROADGAUGE:-${CARGO_TARGET_DIR:-target}/$dir/broadgauge}
PATH=$PATH:/usr/sbin:/sbin
for need in unbound dig openssl python3; do
    command -v $need >/dev/null || { echo "skipped: no $need" >&2; exit 0; }
done
work=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT INT TERM
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key" -out "$work/cert" -days 2 \
    -subj /CN=resolver.example -addext subjectAltName=DNS:resolver.example \
    -addext basicConstraints=critical,CA:FALSE 2>/dev/null
long=$(python3 -c 'print("x" * 250)')
cat >"$work/unbound.conf" <<C
server:
  directory: "$work"
  chroot: ""
  username: ""
  pidfile: "$work/pid"
  use-syslog: no
  logfile: "$work/log"
  do-daemonize: no
  interface: 127.0.0.1@8653
  interface: 127.0.0.1@8654
  interface: 127.0.0.1@8655
  tls-port: 8654
  https-port: 8655
  tls-service-key: "$work/key"
  tls-service-pem: "$work/cert"
  access-control: 127.0.0.0/8 allow
  max-udp-size: 1232
  module-config: "iterator"
  local-zone: "lab.example." static
  local-data: "www.lab.example. 300 IN A 192.0.2.1"
  local-data: "long.lab.example. 300 IN TXT \"$long\""
  local-data: "long.lab.example. 300 IN TXT \"1$long\""
  local-data: "long.lab.example. 300 IN TXT \"2$long\""
  local-data: "long.lab.example. 300 IN TXT \"3$long\""
  local-data: "long.lab.example. 300 IN TXT \"4$long\""
  local-data: "long.lab.example. 300 IN TXT \"5$long\""
remote-control:
  control-enable: no
C
unbound -c "$work/unbound.conf" &
server=$!
tries=0
until dig +time=1 +tries=1 @127.0.0.1 -p 8653 www.lab.example A >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 50 ] || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
done
broken=0
# ask NAME PORT EXPECTATION FLAGS...
ask() {
    name=$1 port=$2 expect=$3
    shift 3
    if ! "$tool" measure dns 127.0.0.1:"$port" --json --count 20 --interval 20ms "$@" >"$work/out.json" 2>"$work/err"; then
        cat "$work/err" >&2
        broken=1
        return
    fi
    python3 - "$work/out.json" "$name" "$expect" <<'P' || broken=1
import json, sys
samples = {s["metric"]: s for s in json.load(open(sys.argv[1]))["samples"]}
main = samples["dns_time"]
d, c = main["details"], main["counts"]
times = ", ".join(f'{m} p50 {1e3 * s["p50_ms"]:.0f} us' for m, s in samples.items() if s.get("p50_ms") is not None)
print(f'{sys.argv[2]:26} {c["received"]}/{c["sent"]} {d["rcodes"]} {times}; cut {d["truncated"]}, again over tcp {d["retried_over_tcp"]}')
sys.exit(0 if c["sent"] > 0 and c["lost"] == 0 and eval(sys.argv[3]) else "bound broken: " + sys.argv[3])
P
}
private="--set ca_file=$work/cert --set server_name=resolver.example"
www="--set name=www.lab.example"
ask "udp" 8653 'd["rcodes"] == {"NOERROR": c["sent"]} and d["sent_again"] == 0' $www
ask "udp, no such name" 8653 'd["rcodes"] == {"NXDOMAIN": c["sent"]}' --set name=none.lab.example
ask "udp, fresh names" 8653 'd["rcodes"] == {"NXDOMAIN": c["sent"]}' --set name=lab.example --set fresh=true
ask "udp, cut" 8653 'd["truncated"] == d["retried_over_tcp"] == c["sent"]' --set name=long.lab.example --set query_type=TXT
ask "tcp" 8653 'd["rcodes"] == {"NOERROR": c["sent"]}' $www --set transport=tcp
ask "tls" 8654 'd["rcodes"] == {"NOERROR": c["sent"]} and "tls_time" in samples' $www --set transport=tls $private
ask "https" 8655 'd["rcodes"] == {"NOERROR": c["sent"]} and "tls_time" in samples' $www --set transport=https $private
echo "dig, tls (us): $(for _ in 1 2 3 4 5 6 7 8 9 10; do dig +tls -u @127.0.0.1 -p 8654 www.lab.example A 2>/dev/null | awk '/Query time/ {print $4}'; done | sort -n | tr '\n' ' ')"
echo "dig, udp (us): $(for _ in 1 2 3 4 5 6 7 8 9 10; do dig +time=1 -u @127.0.0.1 -p 8653 www.lab.example A | awk '/Query time/ {print $4}'; done | sort -n | tr '\n' ' ')"
echo "dig, tcp (us): $(for _ in 1 2 3 4 5 6 7 8 9 10; do dig +tcp -u @127.0.0.1 -p 8653 www.lab.example A | awk '/Query time/ {print $4}'; done | sort -n | tr '\n' ' ')"
exit $broken
