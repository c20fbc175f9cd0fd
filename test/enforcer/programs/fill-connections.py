"""Sends one datagram for each of COUNT connections: from one port to all ports of PREFIX.0, PREFIX.1 and so on.

Usage: fill-connections.py COUNT PREFIX
"""
import socket
import sys

count, prefix = int(sys.argv[1]), sys.argv[2]
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
for i in range(count):
    port = i % 65000 + 1
    header = (40000).to_bytes(2, "big") + port.to_bytes(2, "big") + (8).to_bytes(2, "big") + b"\0\0"
    while True:
        try:
            raw.sendto(header, (f"{prefix}.{i // 65000 + 1}", 0))
            break
        except OSError:  # the queue is full
            pass
