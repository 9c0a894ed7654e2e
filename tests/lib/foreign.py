"""Files of other tools as bare bytes: protobuf messages without their schema, TensorBoard's event files,
W&B's .wandb files, MLflow's file store. Checks are checked."""
import os
import struct
import zlib


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def fields(data):
    """(number, value) of a message: an int, or bytes; fixed ones as bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        else:
            size = {1: 8, 5: 4}.get(key & 7)
            if size is None:
                size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            if len(value) != size:
                raise ValueError("a message ends within a field")
        yield key >> 3, value


def field(data, *path):
    """The last field along a path of numbers; None: not there."""
    for number in path:
        found = [v for n, v in fields(data) if n == number]
        if not found:
            return None
        data = found[-1]
    return data


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    crc ^= 0xffffffff
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff


def events(path):
    """Event messages of one of TensorBoard's files."""
    with open(path, "rb") as f:
        data = f.read()
    at = 0
    while at < len(data):
        size, check = struct.unpack_from("<QI", data, at)
        if crc32c(data[at:at + 8]) != check:
            raise ValueError(f"{path}: check of a length at {at}")
        body = data[at + 12:at + 12 + size]
        if crc32c(body) != struct.unpack_from("<I", data, at + 12 + size)[0]:
            raise ValueError(f"{path}: check of a record at {at}")
        yield body
        at += 16 + size


def scalars(path):
    """{tag: [(step, value)]} and {tag: bytes that a plugin is told}."""
    found, told = {}, {}
    for event in events(path):
        for number, value in fields(field(event, 5) or b""):
            tag = field(value, 1).decode()
            simple = field(value, 2)
            if simple is None:
                told[tag] = field(value, 9, 1, 2)
            else:
                step = field(event, 2) or 0
                found.setdefault(tag, []).append((step, struct.unpack("<f", simple)[0]))
    return found, told


def wandb_records(path):
    """Record messages of a .wandb file."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:7] != b":W&B\xe1\xbe\x00":
        raise ValueError(f"{path}: header")
    at, whole = 7, b""
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        check, size, kind = struct.unpack_from("<IHB", data, at)
        piece = data[at + 7:at + 7 + size]
        if zlib.crc32(bytes([kind]) + piece) != check:
            raise ValueError(f"{path}: check at {at}")
        at, whole = at + 7 + size, whole + piece
        if kind in (1, 4):
            yield whole
            whole = b""


def files_under(folder):
    """Relative names, sorted."""
    return sorted(os.path.relpath(os.path.join(base, name), folder)
                  for base, _, names in os.walk(folder) for name in names)
