#!/usr/bin/env python3
"""A hostile peer for ICMP probes: a tun device behind which every address answers echo requests as a
JSON file says, which is read again whenever it changes. Usage: peer.py DEVICE CONTROL

CONTROL: {"delay_ms": 20, "forge": [...], "silent": false}; `forge` lists what is sent besides, at
once and before the true reply: "guess" (every identifier's likely values without the nonce),
"identifier", "sequence", "nonce", "source" (one of them wrong, the rest right), "unreachable"
(type 3, quoting the request). "duplicate" repeats the true reply.
"""
import fcntl, heapq, json, os, select, struct, sys, time

TUNSETIFF, IFF_TUN_NO_PI = 0x400454CA, 0x0001 | 0x1000
device, control = sys.argv[1:3]
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", device.encode(), IFF_TUN_NO_PI))
print("ready", flush=True)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def packet(source, target, message):
    message = message[:2] + b"\0\0" + message[4:]
    message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(message), 0, 0, 64, 1, 0, source, target)
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + message


def answers(request, rules):
    """Yields (delay in seconds, packet) for an IPv4 echo request."""
    start = (request[0] & 15) * 4
    us, target, echo = request[12:16], request[16:20], request[start:]
    if echo[0] != 8:
        return
    reply = bytes([0, 0, 0, 0]) + echo[4:]

    def flip(at):
        return reply[:at] + bytes([reply[at] ^ 1]) + reply[at + 1 :]

    forged = {
        "identifier": (target, flip(4)),
        "sequence": (target, flip(7)),
        "nonce": (target, flip(8)),
        "guess": (target, reply[:8] + b"\x77" * (len(reply) - 8)),
        "source": (bytes([target[0], target[1], target[2], target[3] ^ 1]), reply),
        "unreachable": (bytes([100, 64, 0, 1]), bytes([3, 1, 0, 0, 0, 0, 0, 0]) + request[: start + 8]),
    }
    for kind in rules.get("forge", []):
        if kind in forged:
            source, message = forged[kind]
            yield 0, packet(source, us, message)
    if not rules.get("silent"):
        for _ in range(2 if "duplicate" in rules.get("forge", []) else 1):
            yield rules.get("delay_ms", 20) / 1000, packet(target, us, reply)


rules, changed, waiting, number = {}, None, [], 0
while True:
    if (stamp := os.stat(control).st_mtime_ns) != changed:
        try:
            rules, changed = json.load(open(control)), stamp
        except ValueError:
            pass  # Half written.
    pause = max(0, min(0.1, waiting[0][0] - time.monotonic())) if waiting else 0.1
    if select.select([tun], [], [], pause)[0]:
        request = os.read(tun, 4096)
        if request[0] >> 4 == 4 and request[9] == 1:
            for delay, reply in answers(request, rules):
                number += 1
                heapq.heappush(waiting, (time.monotonic() + delay, number, reply))
    while waiting and waiting[0][0] <= time.monotonic():
        os.write(tun, heapq.heappop(waiting)[2])
