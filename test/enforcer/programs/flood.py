"""Sends UDP datagrams from one socket for each target as fast as it may, and prints how many it sent.

Usage: flood.py SECONDS PACKETS_A_SECOND [FROM>]ADDRESS PORT [[FROM>]ADDRESS PORT ...]
"""
import ctypes
import json
import signal
import socket
import sys
import time

PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # a killed test leaves no flood behind

seconds, rate = float(sys.argv[1]), float(sys.argv[2])
sockets = []
for address, port in zip(sys.argv[3::2], sys.argv[4::2]):
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    *own, address = address.split(">")
    if own:
        sock.bind((own[0], 0))
    sock.connect((address, int(port)))
    sockets.append(sock)
payload = b"x" * 64
sent = failed = 0
began = time.monotonic()
while True:
    passed = time.monotonic() - began
    if passed >= seconds:
        break
    if sent + failed > passed * rate:
        time.sleep(0.0005)
        continue
    for _ in range(32):
        for sock in sockets:
            try:
                sock.send(payload)
                sent += 1
            except OSError:  # an ICMP error of an earlier datagram
                failed += 1
print(json.dumps({"sent": sent, "failed": failed, "seconds": passed}))
