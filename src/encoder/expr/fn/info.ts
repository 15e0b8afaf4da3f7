/** What is known of values and the session, sizes and times for people, chance (TiDB `builtin_info.go`, `builtin_miscellaneous.go`). */
import { systemRandom, utf8 } from "../../../base/mod.ts";
import { type Call, type FunctionTable, fn } from "../call.ts";
import { DEFAULT_CHARSET, DEFAULT_COLLATION } from "../field-types.ts";
import { lift1, type Node } from "../node.ts";

/** Character set and collation as the functions of these names say them. */
function names(call: Call): { charset: string; collation: string } {
  const arg = call.args[0]!;
  if (arg.kind === "json") return { charset: DEFAULT_CHARSET, collation: DEFAULT_COLLATION };
  const { Charset, Collate } = arg.type;
  return { charset: Charset === "" ? "binary" : Charset, collation: Collate === "" ? "binary" : Collate };
}

function nameOf(which: "charset" | "collation"): (call: Call) => Node {
  return (call) => {
    const name = utf8(names(call)[which]);
    return call.string(() => name, { Flen: 64 });
  };
}

function coercibility(call: Call): Node {
  const value = BigInt(call.args[0]!.coercibility);
  return call.int(() => value);
}

interface Unit {
  readonly size: number;
  readonly name: string;
}

const SIZES: readonly Unit[] = ["EiB", "PiB", "TiB", "GiB", "MiB", "KiB"].map((name, i) => ({
  size: 2 ** (10 * (6 - i)),
  name,
}));

const TIMES: readonly Unit[] = [
  { size: 86400e9, name: "d" },
  { size: 3600e9, name: "h" },
  { size: 60e9, name: "min" },
  { size: 1e9, name: "s" },
  { size: 1e6, name: "ms" },
  { size: 1e3, name: "us" },
];

/** Two digits behind the point, and an exponent where the number is large. */
function scaled(value: number, units: readonly Unit[], least: string): string {
  const unit = units.find(({ size }) => Math.abs(value) >= size);
  if (unit === undefined) return `${whole(value)} ${least}`;
  const n = value / unit.size;
  const text = Math.abs(n) < 100000 ? n.toFixed(2) : n.toExponential(2).replace(/e([+-])(\d)$/, "e$10$2");
  return `${text} ${unit.name}`;
}

/** Rounded half to even, as Go prints no digits behind the point. */
function whole(value: number): string {
  const floor = Math.floor(value);
  const rest = value - floor;
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0);
  const n = up ? floor + 1 : floor;
  return n === 0 && value < 0 ? "-0" : String(n);
}

function formatted(units: readonly Unit[], least: string): (call: Call) => Node {
  return (call) => {
    const [n] = call.cast("string", "real");
    return call.string(lift1(n.eval, (v) => utf8(scaled(v, units, least))));
  };
}

/** 100-nanosecond intervals from 1582-10-15 to 1970-01-01. */
const EPOCH = 122192928000000000n;

/** UUIDs of version 1: the statement's time with a count, and a random node in place of an address. */
function uuid(call: Call): Node {
  const random = new Uint8Array(8);
  systemRandom.fill(random);
  let ticks = BigInt(Math.floor(call.ctx.session.nowMs)) * 10000n + EPOCH;
  const hex = (from: number, to: number): string =>
    [...random.subarray(from, to)].map((b) => b.toString(16).padStart(2, "0")).join("");
  random[0] = (random[0]! & 0x3f) | 0x80;
  random[2] = random[2]! | 1;
  const tail = `${hex(0, 2)}-${hex(2, 8)}`;
  return call.node(
    "string",
    () => {
      ticks++;
      const time = (ticks & 0xfffffffffffffffn).toString(16).padStart(15, "0");
      return utf8(`${time.slice(7)}-${time.slice(3, 7)}-1${time.slice(0, 3)}-${tail}`);
    },
    { Flen: 36 },
    { volatile: true },
  );
}

const RAND_MAX = 0x3fffffffn;

/** MySQL's generator: the first number after a seed. */
function seeded(seed: bigint): number {
  const s = BigInt.asUintN(32, seed);
  const first = BigInt.asUintN(32, s * 0x10001n + 55555555n) % RAND_MAX;
  const second = BigInt.asUintN(32, s * 0x10000001n) % RAND_MAX;
  return Number((first * 3n + second) % RAND_MAX) / Number(RAND_MAX);
}

function rand(call: Call): Node {
  if (call.args.length === 0) return call.node("real", () => systemRandom.next(), {}, { volatile: true });
  const [seed] = call.cast("real", "int");
  return call.real((row) => seeded(seed.eval(row) ?? 0n));
}

export const information: FunctionTable = {
  charset: fn(nameOf("charset"), 1),
  collation: fn(nameOf("collation"), 1),
  coercibility: fn(coercibility, 1),
  any_value: fn((call) => call.args[0]!, 1),
  format_bytes: fn(formatted(SIZES, "bytes"), 1),
  format_nano_time: fn(formatted(TIMES, "ns"), 1),
  uuid: fn(uuid, 0),
  rand: fn(rand, 0, 1),
};
