import { textOf } from "../../../base/mod.ts";
import { PacketWriter } from "./packet.ts";
import type { ResultColumn, ResultValue } from "./result.ts";

/** A row of a prepared statement's answer: every value in the binary form of its column's type. */
export function binaryRowPacket(values: readonly ResultValue[], columns: readonly ResultColumn[]): Uint8Array {
  const packet = new PacketWriter().uint(0, 1);
  const nulls = new Uint8Array((values.length + 9) >> 3);
  values.forEach((value, i) => {
    if (value === null) nulls[(i + 2) >> 3]! |= 1 << ((i + 2) & 7);
  });
  packet.bytes(nulls);
  values.forEach((value, i) => {
    if (value !== null) putBinary(packet, value, columns[i]!);
  });
  return packet.finish();
}

function putBinary(packet: PacketWriter, value: string | Uint8Array, column: ResultColumn): void {
  switch (column.type) {
    case 1:
      packet.uint(Number(textOfValue(value)) & 0xff, 1);
      return;
    case 2:
    case 13:
      packet.uint(Number(textOfValue(value)) & 0xffff, 2);
      return;
    case 3:
    case 9:
      packet.uint(Number(textOfValue(value)) >>> 0, 4);
      return;
    case 8:
      packet.uint64(BigInt.asUintN(64, BigInt(textOfValue(value))));
      return;
    case 4:
      putFloat(packet, Number(textOfValue(value)), 4);
      return;
    case 5:
      putFloat(packet, Number(textOfValue(value)), 8);
      return;
    case 7:
    case 10:
    case 12:
      putDateTime(packet, textOfValue(value));
      return;
    case 11:
      putDuration(packet, textOfValue(value));
      return;
    default:
      if (typeof value === "string") packet.lengthCodedText(value);
      else packet.lengthCodedBytes(value);
  }
}

const textOfValue = (value: string | Uint8Array): string => (typeof value === "string" ? value : textOf(value));

function putFloat(packet: PacketWriter, value: number, size: 4 | 8): void {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  if (size === 4) view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  packet.bytes(bytes);
}

/** Length 0, 4, 7 or 11: zero, date, with time, with microseconds. */
function putDateTime(packet: PacketWriter, text: string): void {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = text.split(/[-: .]/).map(Number);
  const micro = Number((/\.(\d+)$/.exec(text)?.[1] ?? "").padEnd(6, "0"));
  const date = year + month + day !== 0;
  const clock = hour + minute + second !== 0;
  const size = micro !== 0 ? 11 : clock ? 7 : date ? 4 : 0;
  packet.uint(size, 1);
  if (size >= 4) packet.uint(year, 2).uint(month, 1).uint(day, 1);
  if (size >= 7) packet.uint(hour, 1).uint(minute, 1).uint(second, 1);
  if (size === 11) packet.uint(micro, 4);
}

/** Length 0, 8 or 12: zero, sign with days and clock, with microseconds. */
function putDuration(packet: PacketWriter, text: string): void {
  const match = /^(-?)(\d+):(\d+):(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) {
    packet.uint(0, 1);
    return;
  }
  const [hours, minute, second] = [Number(match[2]), Number(match[3]), Number(match[4])];
  const micro = Number((match[5] ?? "").padEnd(6, "0"));
  if (hours + minute + second + micro === 0) {
    packet.uint(0, 1);
    return;
  }
  packet
    .uint(micro === 0 ? 8 : 12, 1)
    .uint(match[1] === "-" ? 1 : 0, 1)
    .uint(Math.floor(hours / 24), 4);
  packet
    .uint(hours % 24, 1)
    .uint(minute, 1)
    .uint(second, 1);
  if (micro !== 0) packet.uint(micro, 4);
}
