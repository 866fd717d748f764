# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The kpatch-pm authors
"""Fingerprints of the public keys in a file, so that they can be compared before anything is imported.

Source of the rules: RFC 9580, sections 4.2 (packets), 5.5.4 (fingerprints) and 6 (armor). Nothing is verified here."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import base64
import hashlib
import re

PUBLIC_KEY = 6


def fingerprints(data):
    """Fingerprints of the primary keys in these bytes, in order. Raises ValueError where they are no keys."""
    blocks = re.findall(
        br"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\r\n]+: [^\r\n]*\r?\n)*\r?\n([A-Za-z0-9+/=\s]+?)\r?\n(?:=[A-Za-z0-9+/]{4}\s*)?-----END",
        data,
    )
    found = []
    for block in [base64.b64decode(block) for block in blocks] or [data]:
        found += [fingerprint(body) for tag, body in packets(bytearray(block)) if tag == PUBLIC_KEY]
    return found


def fingerprint(body):
    """Of the body of a public-key packet."""
    if body[0] == 4:
        return hashlib.sha1(b"\x99" + number(len(body), 2) + bytes(body)).hexdigest().upper()
    if body[0] == 6:
        return hashlib.sha256(b"\x9b" + number(len(body), 4) + bytes(body)).hexdigest().upper()
    raise ValueError("a key of version %d" % body[0])


def number(value, size):
    return bytes(bytearray((value >> (8 * place)) & 255 for place in reversed(range(size))))


def packets(data):
    """(tag, body) of each packet."""
    at = 0
    while at < len(data):
        head = data[at]
        if not head & 0x80:
            raise ValueError("no OpenPGP packet")
        if head & 0x40:
            tag, (length, size) = head & 0x3F, new_length(data, at + 1)
        else:
            tag, size = (head >> 2) & 0x0F, (1, 2, 4, 0)[head & 3]
            if size == 0:
                raise ValueError("a packet of no length")
            length = big_endian(data[at + 1 : at + 1 + size])
        start = at + 1 + size
        if start + length > len(data):
            raise ValueError("a packet is cut off")
        yield tag, data[start : start + length]
        at = start + length


def new_length(data, at):
    first = data[at]
    if first < 192:
        return first, 1
    if first < 224:
        return ((first - 192) << 8) + data[at + 1] + 192, 2
    if first == 255:
        return big_endian(data[at + 1 : at + 5]), 5
    raise ValueError("a key in pieces")


def big_endian(octets):
    value = 0
    for octet in octets:
        value = value << 8 | octet
    return value
