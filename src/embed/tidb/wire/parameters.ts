import { textOf, toHex } from "../../../base/mod.ts";
import type { PacketReader } from "./packet.ts";

/** SQL literal of each parameter of COM_STMT_EXECUTE, ready to stand in for its `?`. */
export function parameterLiterals(
  reader: PacketReader,
  count: number,
  previousTypes: number[],
): { literals: string[]; types: number[] } {
  if (count === 0) return { literals: [], types: [] };
  const nulls = reader.bytes((count + 7) >> 3);
  const types: number[] = [];
  if (reader.uint(1) === 1) for (let i = 0; i < count; i++) types.push(reader.uint(2));
  else types.push(...previousTypes);
  const literals: string[] = [];
  for (let i = 0; i < count; i++) {
    literals.push((nulls[i >> 3]! >> (i & 7)) & 1 ? "NULL" : literal(reader, types[i] ?? 253));
  }
  return { literals, types };
}

function literal(reader: PacketReader, typeAndFlags: number): string {
  const unsigned = (typeAndFlags & 0x8000) !== 0;
  const whole = (size: 1 | 2 | 4): string => {
    const value = reader.uint(size);
    const limit = 2 ** (8 * size);
    return String(!unsigned && value >= limit / 2 ? value - limit : value);
  };
  switch (typeAndFlags & 0xff) {
    case 1:
      return whole(1);
    case 2:
    case 13:
      return whole(2);
    case 3:
    case 9:
      return whole(4);
    case 8: {
      const value = reader.uint64();
      return String(unsigned ? value : BigInt.asIntN(64, value));
    }
    case 4: {
      const part = reader.bytes(4);
      return number(new DataView(part.buffer, part.byteOffset, 4).getFloat32(0, true));
    }
    case 5: {
      const part = reader.bytes(8);
      return number(new DataView(part.buffer, part.byteOffset, 8).getFloat64(0, true));
    }
    case 6:
      return "NULL";
    case 7:
    case 10:
    case 12:
      return dateTime(reader);
    case 11:
      return time(reader);
    default:
      return stringLiteral(reader.lengthCodedBytes());
  }
}

function number(value: number): string {
  const text = String(value);
  return /e/.test(text) ? text : `${text}e0`;
}

/** Bytes as a string literal; as a hex literal where they are not UTF-8. */
export function stringLiteral(bytes: Uint8Array): string {
  const text = textOf(bytes);
  if (text.includes("\ufffd")) return bytes.length === 0 ? "''" : `x'${toHex(bytes)}'`;
  return `'${text.replace(/[\\']/g, (c) => `\\${c}`).replaceAll("\0", "\\0")}'`;
}

const pad = (value: number, width: number) => String(value).padStart(width, "0");

function dateTime(reader: PacketReader): string {
  const size = reader.uint(1);
  if (size === 0) return "'0000-00-00 00:00:00'";
  const date = `${pad(reader.uint(2), 4)}-${pad(reader.uint(1), 2)}-${pad(reader.uint(1), 2)}`;
  if (size === 4) return `'${date}'`;
  const clock = `${pad(reader.uint(1), 2)}:${pad(reader.uint(1), 2)}:${pad(reader.uint(1), 2)}`;
  return size === 7 ? `'${date} ${clock}'` : `'${date} ${clock}.${pad(reader.uint(4), 6)}'`;
}

function time(reader: PacketReader): string {
  const size = reader.uint(1);
  if (size === 0) return "'00:00:00'";
  const sign = reader.uint(1) === 1 ? "-" : "";
  const days = reader.uint(4);
  const hours = days * 24 + reader.uint(1);
  const clock = `${pad(hours, 2)}:${pad(reader.uint(1), 2)}:${pad(reader.uint(1), 2)}`;
  return size === 8 ? `'${sign}${clock}'` : `'${sign}${clock}.${pad(reader.uint(4), 6)}'`;
}
