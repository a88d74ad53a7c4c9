"""STAMP by scapy's own layout (scapy.contrib.stamp), beside ours: `reflect PORT COUNT` answers as a reflector what scapy reads
of our requests; `send PORT COUNT` asks our reflector and reads its replies. Ends with 1 where a field is not what
RFC 8762 and RFC 8972 ask for. RECORD=FOLDER keeps the last exchange, byte for byte, in hexadecimal."""
import os, socket, sys, time

from scapy.contrib.stamp import (ErrorEstimate, STAMPSessionReflectorTestUnauthenticated as Reply,
                                 STAMPSessionSenderTestUnauthenticated as Request, STAMPTestTLV)


def record(name, data):
    if folder := os.environ.get("RECORD"):
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name), "w") as file:
            file.write(data.hex() + "\n")


def ntp():
    """Now, in the 64 bits of NTP."""
    return int((time.time() + 2_208_988_800) * (1 << 32))


def must(what, held):
    if not held:
        sys.exit(f"scapy and ours do not agree: {what}")


def raw_time(layer, name, at):
    """The eight bytes themselves: scapy shows them as a date or as seconds."""
    return bytes(layer)[at:at + 8]


def reflect(port, count):
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.bind(("127.0.0.1", port))
    door.settimeout(10)
    print("ready", flush=True)
    sessions = set()
    for number in range(count):
        try:
            data, address = door.recvfrom(2_000)
        except TimeoutError:
            # A busy machine leaves slots out, and does not number them.
            must("no request came", number > 0)
            count = number
            break
        arrived = ntp()
        door.settimeout(3)
        asked = Request(data)
        must(f"request {number} has number {asked.seq}", asked.seq == number)
        must(f"a request of {len(data)} bytes", len(data) >= 44)
        must(f"bytes that must be zero are {asked.mbz}", asked.mbz == 0)
        must("an error estimate of nought", asked.err_estimate.multiplier > 0)
        must("TLVs that nobody asked for", not asked.tlv_objects)
        sessions.add(asked.ssid)
        estimate = ErrorEstimate(S=0, Z=0, scale=1, multiplier=1)
        # Times go in as the eight bytes that they are.
        reply = bytearray(bytes(Reply(seq=asked.seq, err_estimate=estimate, ssid=asked.ssid, seq_sender=asked.seq,
                                      err_estimate_sender=asked.err_estimate, ttl_sender=255)))
        reply[16:24] = arrived.to_bytes(8, "big")
        reply[28:36] = raw_time(asked, "ts", 4)
        reply[4:12] = ntp().to_bytes(8, "big")
        door.sendto(bytes(reply), address)
        record("ours-asks.request", data)
        record("scapy-answers.reply", bytes(reply))
    must(f"one session has several identifiers: {sessions}", len(sessions) == 1)
    print(f"scapy answered {count} requests of session {sessions.pop()}")


def send(port, count):
    near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    near.settimeout(5)
    for number in range(count):
        # A quarter of them carry extra padding (RFC 8972 section 4.1, type 1).
        padding = [STAMPTestTLV(type=1, len=16, value=b"\0" * 16)] if number % 4 == 3 else []
        asked = Request(seq=number, err_estimate=ErrorEstimate(S=0, Z=0, scale=1, multiplier=1), ssid=4_711,
                        tlv_objects=padding)
        data = bytearray(bytes(asked))
        data[4:12] = ntp().to_bytes(8, "big")
        near.sendto(bytes(data), ("127.0.0.1", port))
        record("scapy-asks.request", bytes(data))
        answer, _ = near.recvfrom(2_000)
        reply = Reply(answer)
        must(f"a reply of {len(answer)} bytes to {len(data)}", len(answer) == len(data))
        must(f"the reply to {number} is to {reply.seq_sender}", reply.seq_sender == number)
        must(f"the reply's session is {reply.ssid}", reply.ssid == 4_711)
        must("the sender's time does not come back", raw_time(reply, "ts_sender", 28) == bytes(data[4:12]))
        must("the sender's error estimate does not come back", answer[36:38] == bytes(data[12:14]))
        must(f"bytes that must be zero are {reply.mbz1}, {reply.mbz2}", reply.mbz1 == 0 and reply.mbz2 == 0)
        must(f"a TTL of {reply.ttl_sender} over the loopback", reply.ttl_sender == 64)
        received, sent = (int.from_bytes(raw_time(reply, "", at), "big") for at in (16, 4))
        asked_at, now = int.from_bytes(data[4:12], "big"), ntp()
        # Python's clock reads in some hundred nanoseconds.
        slack = (1 << 32) // 1_000_000
        must("times that run backwards", asked_at <= received + slack and received <= sent and sent <= now + slack)
        if padding:
            must("padding that is not known", len(reply.tlv_objects) == 1 and reply.tlv_objects[0].type == 1)
            must(f"flags {reply.tlv_objects[0].flags} on padding", int(reply.tlv_objects[0].flags) & 0x80 == 0)
        record("ours-answers.reply", answer)
    print(f"scapy read {count} replies of ours")


{"reflect": reflect, "send": send}[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]))
