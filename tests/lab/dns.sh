#!/usr/bin/env bash
# Times unbound on the loopback over UDP, TCP, TLS and HTTPS, beside dig in the same run, and sees that a cut answer is asked
# for again over TCP. Needs unbound, dig and openssl; no root.
set -euo pipefail
source "$(dirname "$0")/common.bash"
PATH=$PATH:/usr/sbin:/sbin
needs unbound dig openssl python3
build_command
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
started+=($!)
until_it dig +time=1 +tries=1 @127.0.0.1 -p 8653 www.lab.example A || { cat "$work/log" >&2; exit 1; }
broken=0
# ask NAME PORT EXPECTATION FLAGS...
ask() {
    local name=$1 port=$2 expect=$3
    shift 3
    if ! "$program" measure dns 127.0.0.1:"$port" --json --count 20 --interval 20ms "$@" >"$work/out.json" 2>"$work/err"; then
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
private=(--set "ca_file=$work/cert" --set server_name=resolver.example)
www=(--set name=www.lab.example)
ask "udp" 8653 'd["rcodes"] == {"NOERROR": c["sent"]} and d["sent_again"] == 0' "${www[@]}"
ask "udp, no such name" 8653 'd["rcodes"] == {"NXDOMAIN": c["sent"]}' --set name=none.lab.example
ask "udp, fresh names" 8653 'd["rcodes"] == {"NXDOMAIN": c["sent"]}' --set name=lab.example --set fresh=true
ask "udp, cut" 8653 'd["truncated"] == d["retried_over_tcp"] == c["sent"]' --set name=long.lab.example --set query_type=TXT
ask "tcp" 8653 'd["rcodes"] == {"NOERROR": c["sent"]}' "${www[@]}" --set transport=tcp
ask "tls" 8654 'd["rcodes"] == {"NOERROR": c["sent"]} and "tls_time" in samples' "${www[@]}" --set transport=tls "${private[@]}"
ask "https" 8655 'd["rcodes"] == {"NOERROR": c["sent"]} and "tls_time" in samples' "${www[@]}" --set transport=https "${private[@]}"
dig_times() { # flags...
    for _ in $(seq 10); do
        dig -u @127.0.0.1 "$@" www.lab.example A 2>/dev/null | awk '/Query time/ { print $4 }'
    done | sort -n | tr '\n' ' '
}
echo "dig, tls (us): $(dig_times +tls -p 8654)"
echo "dig, udp (us): $(dig_times +time=1 -p 8653)"
echo "dig, tcp (us): $(dig_times +tcp -p 8653)"
exit $broken
