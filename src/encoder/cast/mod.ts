/**
 * Values of source rows and of expressions as column values: TiDB's conversions under any SQL mode and time zone, with its
 * roundings, limits, error numbers and warnings (`pkg/types`, `pkg/table/column.go`).
 *
 * Invariants: functions are synchronous and hold no state but caches and the session's pending failure; nothing but CastError is
 * thrown for a value. It lacks: zero padding of ZEROFILL columns, character sets beyond utf8mb4, utf8, ascii, latin1, gbk, binary.
 */

export { byteString, bytesOf, readable, trimSpace } from "./bytes-text.ts";
export { type Conversion, castDatum } from "./cast.ts";
export { type Fitted, fitBinary, fitText } from "./charset.ts";
export { type CoreTime, coreTime, daysInMonth, fromUnix, isLeapYear, isRealTime, toUnix } from "./core-time.ts";
export { datumToBytes, datumToText } from "./datum-text.ts";
export { fitDecimal } from "./decimal.ts";
export {
  compareDecimals,
  decimalToFloat,
  floatToDecimal,
  parseDecimal,
  parseDecimalText,
  pow10,
  roundUnscaled,
  type WideDecimal,
  wholeDecimal,
  wholeDigitsOf,
  widen,
} from "./decimal-text.ts";
export { defaultValue, zeroValue } from "./defaults.ts";
export { timeOfDay } from "./duration.ts";
export { parseDuration, parseDurationOrNull } from "./duration-parse.ts";
export { type Duration, durationParts, durationToDecimal, MAX_DURATION, roundDuration } from "./duration-value.ts";
export { CastError, Code, type Fault, truncatedWrongValue, valueOutOfRange, wrongValue } from "./fault.ts";
export { castField } from "./field.ts";
export { fitFloat } from "./float.ts";
export { encodeGbk } from "./gbk.ts";

export { floatToSigned, floatToUnsigned } from "./integer-range.ts";
export { jsonToDecimal, jsonToFloat, jsonToInt, unquotedJson } from "./json-value.ts";
export { formatFixed, formatFloat, roundToEven } from "./number-format.ts";
export { floatPrefixLength, MAX_INT64, MAX_UINT64, MIN_INT64, plainInteger, textToInt } from "./number-text.ts";
export { type CastOptions, CastSession } from "./session.ts";
export { bitBytes, bytesToUint, type CastSource, fspOf, type LiteralSource, setName, typeName } from "./source.ts";
export { sourceText } from "./source-text.ts";
export { fitLength } from "./text.ts";
export { durationToTime, fromDecimalText, parseTime, parseTimeNumber } from "./time.ts";
export { checkTime } from "./time-check.ts";
export { timeFromNumber } from "./time-number.ts";
export { fullYear, parseDateTime } from "./time-parse.ts";
export { fspOfText, isDateOnlyText } from "./time-split.ts";
export { formatTimeDatum, roundTimeDatum, type TimeDatum, timeDatum, timeToDecimal } from "./time-value.ts";
