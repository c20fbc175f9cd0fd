"""Sends what it reads from stdin: u8 way (0 = frame on INTERFACE, 4/6 = raw IP packet), u16 length, bytes.

Usage: packet-sender.py INTERFACE
"""
import socket
import struct
import sys

frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
frames.bind((sys.argv[1], 0))
raw4 = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
raw6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
data = sys.stdin.buffer.read()
at = 0
while at < len(data):
    way, length = struct.unpack_from("!BH", data, at)
    packet = data[at + 3 : at + 3 + length]
    at += 3 + length
    try:
        if way == 0:
            frames.send(packet)
        elif way == 4:
            raw4.sendto(packet, (socket.inet_ntop(socket.AF_INET, packet[16:20]), 0))
        else:
            raw6.sendto(packet, (socket.inet_ntop(socket.AF_INET6, packet[24:40]), 0))
    except PermissionError:
        pass  # the output hook dropped it, which is an answer too
