/** Addresses, UUIDs and hashes of TiDB's own (TiDB `pkg/expression/builtin_miscellaneous.go`). */
import { textOf, toHex, utf8 } from "../../../base/mod.ts";
import { Flag } from "../../../schema/mod.ts";
import { byteString } from "../../cast/mod.ts";
import { type Call, type FunctionTable, fn } from "../call.ts";
import { wrongValueForType } from "../context.ts";
import { ipText, isIpv4Mapped, parseIpv4, parseIpv6 } from "../ip.ts";
import { as, lift1, type Node } from "../node.ts";
import { vitessHash } from "../vitess-hash.ts";
import { bytesOfHex } from "./string-code.ts";

const SHARDS = 256n;

/** Up to four numbers; with fewer the last is the last byte. */
function inetAton(text: string): bigint {
  const bad = (): Error => wrongValueForType("string", text, "inet_aton");
  if (!/^[0-9.]*[0-9]$/.test(text)) throw bad();
  const parts = text.split(".").map((part) => (part === "" ? 0 : Number(part)));
  if (parts.length > 4 || parts.some((part) => part > 255)) throw bad();
  const last = parts.pop()!;
  while (parts.length < 3) parts.push(0);
  return BigInt([...parts, last].reduce((sum, part) => sum * 256 + part, 0));
}

function inet6Aton(text: string): Uint8Array {
  const bytes = parseIpv4(text) ?? parseIpv6(text);
  if (bytes === null) throw wrongValueForType("string", text, "inet_aton6");
  return bytes;
}

function inetNtoa(call: Call): Node {
  const [n] = call.cast("string", "int");
  return call.string(
    lift1(n.eval, (v) => {
      if (v < 0n || v > 0xffffffffn) return null;
      return utf8([24n, 16n, 8n, 0n].map((shift) => (v >> shift) & 255n).join("."));
    }),
    { Flen: 93 },
  );
}

function onText<R extends bigint | Uint8Array | null>(f: (text: string) => R): (call: Call) => Node {
  return (call) => {
    const [text] = call.cast("int", "string");
    return call.int(lift1(text.eval, (v) => f(textOf(v)) as bigint | null));
  };
}

/** Truth values that are false for NULL; a number to JSON where NULL gives NULL. */
function test(f: (bytes: Uint8Array) => boolean, nullValue: 0n | null = 0n): (call: Call) => Node {
  return (call) => {
    const [text] = call.cast("int", "string");
    return call.int(
      (row) => {
        const v = text.eval(row);
        return v === null ? nullValue : f(v) ? 1n : 0n;
      },
      { Flen: 1, Flag: Flag.binary | (nullValue === null ? 0 : Flag.isBoolean) },
    );
  };
}

/** With or without dashes, in braces, or as `urn:uuid:`. */
function parseUuid(text: string): Uint8Array | null {
  let body = text;
  if (text.length === 45 && text.slice(0, 9).toLowerCase() === "urn:uuid:") body = text.slice(9);
  else if (text.length === 38 && text.startsWith("{")) body = text.slice(1, -1);
  if (/^[0-9a-fA-F]{32}$/.test(body)) return bytesOfHex(body);
  return /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(body)
    ? bytesOfHex(body.replaceAll("-", ""))
    : null;
}

/** The time's high, middle and low parts in front, in this order. */
function swapTime(b: Uint8Array): Uint8Array {
  return Uint8Array.of(b[6]!, b[7]!, b[4]!, b[5]!, b[0]!, b[1]!, b[2]!, b[3]!, ...b.subarray(8));
}

function unswapTime(b: Uint8Array): Uint8Array {
  return Uint8Array.of(b[4]!, b[5]!, b[6]!, b[7]!, b[2]!, b[3]!, b[0]!, b[1]!, ...b.subarray(8));
}

/** The second argument says whether the time is swapped; NULL says no. */
function swapsOf(call: Call): (row: Parameters<Node["eval"]>[0]) => boolean {
  const flag = call.args[1];
  if (flag === undefined) return () => false;
  const value = as(flag, "int").eval;
  return (row) => (value(row) ?? 0n) !== 0n;
}

function uuidToBin(call: Call): Node {
  call.cast("string", ...(["string", "int"] as const).slice(0, call.args.length));
  const text = as(call.args[0]!, "string").eval;
  const swaps = swapsOf(call);
  return call.bytes((row) => {
    const v = text(row);
    if (v === null) return null;
    const bytes = parseUuid(textOf(v));
    if (bytes === null) throw wrongValueForType("string", textOf(v), "uuid_to_bin");
    return swaps(row) ? swapTime(bytes) : bytes;
  }, 16);
}

function binToUuid(call: Call): Node {
  call.cast("string", ...(["string", "int"] as const).slice(0, call.args.length));
  const bytes = as(call.args[0]!, "string").eval;
  const swaps = swapsOf(call);
  return call.string(
    (row) => {
      const v = bytes(row);
      if (v === null) return null;
      if (v.length !== 16) throw wrongValueForType("string", textOf(v), "bin_to_uuid");
      const hex = toHex(swaps(row) ? unswapTime(v) : v);
      return utf8(hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"));
    },
    { Flen: 32 },
  );
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((b) => b === 0);

export const miscellany: FunctionTable = {
  inet_aton: fn(onText(inetAton), 1),
  inet_ntoa: fn(inetNtoa, 1),
  inet6_aton: fn((call) => {
    const [text] = call.cast("string", "string");
    return call.bytes(
      lift1(text.eval, (v) => inet6Aton(textOf(v))),
      16,
    );
  }, 1),
  inet6_ntoa: fn((call) => {
    const [bytes] = call.cast("string", "string");
    return call.string(
      lift1(bytes.eval, (v) => {
        const text = ipText(v);
        return text === null ? null : utf8(text);
      }),
      { Flen: 117 },
    );
  }, 1),
  is_ipv4: fn(
    test((v) => parseIpv4(byteString(v)) !== null),
    1,
  ),
  is_ipv6: fn(
    test((v) => parseIpv6(byteString(v)) !== null),
    1,
  ),
  is_ipv4_compat: fn(
    test((v) => v.length === 16 && isZero(v.subarray(0, 12))),
    1,
  ),
  is_ipv4_mapped: fn(
    test((v) => v.length === 16 && isIpv4Mapped(v)),
    1,
  ),
  is_uuid: fn(
    test((v) => parseUuid(byteString(v)) !== null, null),
    1,
  ),
  uuid_to_bin: fn(uuidToBin, 1, 2),
  bin_to_uuid: fn(binToUuid, 1, 2),
  vitess_hash: fn((call) => {
    const [n] = call.cast("int", "int");
    return call.uint(lift1(n.eval, (v) => vitessHash(BigInt.asUintN(64, v))));
  }, 1),
  tidb_shard: fn((call) => {
    const [n] = call.cast("int", "int");
    return call.uint(lift1(n.eval, (v) => vitessHash(BigInt.asUintN(64, v)) % SHARDS));
  }, 1),
};
