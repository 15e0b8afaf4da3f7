/**
 * Shard bits as Lightning takes them from Go's `math/rand`: only the first number after seeding is needed, and it depends on two
 * entries of the generator's state (golden/misc/README.md has the formula).
 */
const MASK64 = (1n << 64n) - 1n;
const MASK63 = (1n << 63n) - 1n;
const MODULUS = 2147483647;
const MULTIPLIER = 48271;
/** Entries 333 and 606 of Go's table of constants. */
const C333 = BigInt.asUintN(64, -4633371852008891965n);
const C606 = 4152330101494654406n;

/**
 * Powers of the multiplier, so that entry i needs no run over all entries before it: entry i uses steps 20 + 3i + 1 to + 3.
 */
function power(exponent: number): number {
  let result = 1n;
  let base = BigInt(MULTIPLIER);
  for (let e = exponent; e > 0; e = Math.floor(e / 2)) {
    if (e % 2 === 1) result = (result * base) % BigInt(MODULUS);
    base = (base * base) % BigInt(MODULUS);
  }
  return Number(result);
}

const JUMP333 = power(20 + 3 * 333);
const JUMP606 = power(20 + 3 * 606);

/** a * b mod 2^31 - 1, exactly. */
function mulMod(a: number, b: number): number {
  const high = Math.floor(a / 65536);
  const low = a % 65536;
  return (((high * b) % MODULUS) * 65536 + low * b) % MODULUS;
}

function entry(seed: number, jump: number, constant: bigint): bigint {
  let x = mulMod(jump, seed);
  let u = 0n;
  for (const shift of [40n, 20n, 0n]) {
    x = mulMod(MULTIPLIER, x);
    u ^= BigInt(x) << shift;
  }
  return (u & MASK64) ^ constant;
}

/** First `Int63()` of Go's generator seeded with `seed` (any signed 64-bit number). */
export function goInt63(seed: bigint): bigint {
  let s = Number(seed % BigInt(MODULUS));
  if (s < 0) s += MODULUS;
  if (s === 0) s = 89482311;
  return (entry(s, JUMP333, C333) + entry(s, JUMP606, C606)) & MASK63;
}

const C333_HIGH = Number(C333 >> 32n);
const C333_LOW = Number(C333 & 0xffffffffn);
const C606_HIGH = Number(C606 >> 32n);
const C606_LOW = Number(C606 & 0xffffffffn);

/** The upper 32 of the 63 bits of `goInt63` for a seed from 0 to 2^53, without BigInt: `Uint32()` of Go's generator. */
export function goUint32(seed: number): number {
  let s = seed % MODULUS;
  if (s === 0) s = 89482311;
  const a1 = mulMod(MULTIPLIER, mulMod(JUMP333, s));
  const a2 = mulMod(MULTIPLIER, a1);
  const a3 = mulMod(MULTIPLIER, a2);
  const b1 = mulMod(MULTIPLIER, mulMod(JUMP606, s));
  const b2 = mulMod(MULTIPLIER, b1);
  const b3 = mulMod(MULTIPLIER, b2);
  const low = (((a2 << 20) ^ a3 ^ C333_LOW) >>> 0) + (((b2 << 20) ^ b3 ^ C606_LOW) >>> 0);
  const carry = low >= 0x100000000 ? 1 : 0;
  const high = ((a1 << 8) ^ (a2 >>> 12) ^ C333_HIGH) + ((b1 << 8) ^ (b2 >>> 12) ^ C606_HIGH) + carry;
  return ((high << 1) | ((low >>> 31) & 1)) >>> 0;
}

/** Handle of a row without an AUTO_RANDOM value: shard bits of the chunk's seed above, the row number below. */
export function autoRandomHandle(
  seed: bigint,
  rowId: bigint,
  shardBits: number,
  rangeBits: number,
  unsigned: boolean,
): bigint {
  const incremental = BigInt((rangeBits === 0 ? 64 : rangeBits) - shardBits - (unsigned ? 0 : 1));
  const shard = goInt63(seed) & ((1n << BigInt(shardBits)) - 1n);
  return (shard << incremental) | rowId;
}

/** `_tidb_rowid` under SHARD_ROW_ID_BITS: the shard comes from the row number itself. */
export function shardedRowId(rowId: bigint, bits: number): bigint {
  const shard = (goInt63(rowId) >> 31n) & ((1n << BigInt(bits)) - 1n);
  return (shard << BigInt(63 - bits)) | rowId;
}
