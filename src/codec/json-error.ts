/** MySQL's code and message of a refused document. */
export class JsonError extends Error {
  override readonly name = "JsonError";
  /** 3140 invalid text, 8129 key too long, 3157 too deep. */
  readonly mysqlCode: number;

  constructor(mysqlCode: number, message: string) {
    super(message);
    this.mysqlCode = mysqlCode;
  }
}

/** What TiDB says of every kind of malformed text but an empty one. */
const TRAILING = "The document root must not be followed by other values.";

export function invalidJson(detail = TRAILING): JsonError {
  return new JsonError(3140, `Invalid JSON text: ${detail}`);
}

export function jsonTooDeep(): JsonError {
  return new JsonError(3157, "The JSON document exceeds the maximum depth.");
}

export function jsonKeyTooLong(): JsonError {
  return new JsonError(8129, "TiDB does not yet support JSON objects with the key length >= 65536");
}
