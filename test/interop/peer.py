"""An upload server on gRPC core, with the channel options that TiKV gives its server (components of tikv/src/server/server.rs).

Speaks just enough of import_sstpb.ImportSST, on raw bytes: Write (client stream), GetMode (unary), DuplicateDetect (server stream);
and pdpb.PD/Tso (bidirectional). Request metadata steer it: x-delay-ms (wait before each message), x-fail-after (messages), x-count,
x-size. Prints its port, then serves until killed. Every answer carries what arrived, so that nothing is believed unseen.
"""

import argparse
import sys
import time
import zlib
from concurrent import futures

import grpc

OPTIONS = [
    ("grpc.http2.lookahead_bytes", 2 * 1024 * 1024),
    ("grpc.max_concurrent_streams", 1024),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.http2.max_ping_strikes", 2**31 - 1),
]


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def data(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


def option(context, name, default=0):
    return int(dict(context.invocation_metadata()).get(name, default))


def write(requests, context):
    """WriteResponse with one meta: crc32 and length of all messages, and their number as total_kvs."""
    delay = option(context, "x-delay-ms") / 1000
    fail_after = option(context, "x-fail-after", -1)
    crc = length = count = 0
    for message in requests:
        if count == fail_after:
            context.abort(grpc.StatusCode.UNKNOWN, 'RequestTooOld("region 7 is not found")')
        crc = zlib.crc32(message, crc)
        length += len(message)
        count += 1
        if delay:
            time.sleep(delay)
    return data(2, number(3, crc) + number(4, length) + number(9, count))


def get_mode(request, context):
    time.sleep(option(context, "x-delay-ms") / 1000)
    if option(context, "x-fail-after", -1) == 0:
        context.set_trailing_metadata((("x-trailer", "yes"),))
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "voll: 100 % größer")
    return number(1, 1)


def duplicate_detect(request, context):
    size = option(context, "x-size", 1)
    fail_after = option(context, "x-fail-after", -1)
    for index in range(option(context, "x-count", 1)):
        if index == fail_after:
            context.abort(grpc.StatusCode.DATA_LOSS, "in mid-stream")
        yield data(3, data(1, b"key") + data(2, bytes(size)) + number(3, index))


def tso(requests, context):
    for index, _request in enumerate(requests):
        yield number(2, index + 1)


class Handlers(grpc.GenericRpcHandler):
    METHODS = {
        "/import_sstpb.ImportSST/Write": grpc.stream_unary_rpc_method_handler(write),
        "/import_sstpb.ImportSST/GetMode": grpc.unary_unary_rpc_method_handler(get_mode),
        "/import_sstpb.ImportSST/DuplicateDetect": grpc.unary_stream_rpc_method_handler(duplicate_detect),
        "/pdpb.PD/Tso": grpc.stream_stream_rpc_method_handler(tso),
    }

    def service(self, details):
        return self.METHODS.get(details.method)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tls", nargs=3, metavar=("CA", "CERT", "KEY"))
    parser.add_argument("--compress", action="store_true")
    parser.add_argument("--fixed-window", action="store_true", help="a window that does not grow with the speed of the path")
    parser.add_argument("--keepalive", nargs=2, type=int, default=(10_000, 3_000), metavar=("EVERY_MS", "PATIENCE_MS"))
    arguments = parser.parse_args()
    compression = grpc.Compression.Gzip if arguments.compress else None
    every, patience = arguments.keepalive
    options = [*OPTIONS, ("grpc.keepalive_time_ms", every), ("grpc.keepalive_timeout_ms", patience)]
    if arguments.fixed_window:
        options.append(("grpc.http2.bdp_probe", 0))
    server = grpc.server(futures.ThreadPoolExecutor(32), options=options, compression=compression)
    server.add_generic_rpc_handlers((Handlers(),))
    if arguments.tls:
        ca, cert, key = (open(name, "rb").read() for name in arguments.tls)
        credentials = grpc.ssl_server_credentials([(key, cert)], ca, require_client_auth=True)
        port = server.add_secure_port("127.0.0.1:0", credentials)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    print("grpcio", grpc.__version__, file=sys.stderr)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
