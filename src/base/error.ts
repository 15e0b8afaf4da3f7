import { type ErrorCode, type ErrorFacts, errorCodes } from "./codes/mod.ts";
import { systemWords } from "./system-words.ts";

/** Facts that say where an error happened: file, row, column, byte; or store, region, epoch. */
export type ErrorFields = Record<string, string | number | bigint | boolean | undefined>;

/**
 * The one error class of levin. `code` is stable and listed in README; `message` says what went wrong and where, in the grammar
 * "Cannot <do something>: <detail>"; `fields` hold the same facts for machines; `cause` the error below.
 */
export class LevinError extends Error {
  override readonly name = "LevinError";
  readonly code: ErrorCode;
  readonly fields: ErrorFields;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; fields?: ErrorFields } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fields = options.fields ?? {};
  }

  /** What is known about this kind of error: meaning, what the user can do, retry class, exit code. */
  get facts(): ErrorFacts {
    return errorCodes[this.code];
  }

  /** Total: turns whatever was thrown into a LevinError; an unknown one becomes `Levin:Internal:ErrUnexpected`. */
  static from(thrown: unknown): LevinError {
    if (thrown instanceof LevinError) return thrown;
    const { code, syscall, path, address, port } = (thrown ?? {}) as NodeJS.ErrnoException & {
      address?: string;
      port?: number;
    };
    if (typeof code === "string" && typeof syscall === "string") {
      const what = path ?? (address === undefined ? undefined : `${address}:${port}`);
      const place = what === undefined ? "" : ` "${what}"`;
      const message = `Cannot ${syscall === "listen" ? "listen on" : syscall}${place}: ${systemWords(thrown)}`;
      return new LevinError("Levin:System:ErrCall", message, { cause: thrown, fields: { cause: code } });
    }
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new LevinError("Levin:Internal:ErrUnexpected", message, { cause: thrown });
  }
}
