"""Makes attempts to connect, each from a source port of its own, and prints how many it really made.

Reads lines "PROTOCOL ADDRESS PORT ATTEMPTS" from stdin; PROTOCOL is tcp, udp, or the number of another protocol. An attempt
over TCP is one SYN: it is given up before it could be sent again.
"""
import errno
import json
import socket
import sys

FIRST_SOURCE_PORT = 20000
made = []
for line in sys.stdin:
    protocol, address, port, attempts = line.split()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    done = 0
    for i in range(int(attempts)):
        if protocol == "udp":
            sock = socket.socket(family, socket.SOCK_DGRAM)
            sock.bind(("", FIRST_SOURCE_PORT + i))
            sock.sendto(b"x", (address, int(port)))
        elif protocol == "tcp":
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setblocking(False)
            sock.bind(("", FIRST_SOURCE_PORT + i))
            code = sock.connect_ex((address, int(port)))
            assert code in (0, errno.EINPROGRESS, errno.ECONNREFUSED), code
        else:
            sock = socket.socket(family, socket.SOCK_RAW, int(protocol))
            sock.sendto(b"x" * 16, (address, 0))
        done += 1
        sock.close()
    made.append({"protocol": protocol, "address": address, "port": int(port), "attempts": done})
print(json.dumps(made))
