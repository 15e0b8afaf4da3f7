/** What threads that write are told and what they answer; all of it survives a structured clone. */
import type { KeyRange, Region, Store } from "../cluster/mod.ts";
import type { RunInfo } from "../engine/mod.ts";
import type { TlsMaterial } from "../rpc/mod.ts";
import type { ToldError } from "./told-error.ts";

/** What one thread may take; parts of the import's plan of memory. */
export interface WriterSetup {
  /** Messages that exist at a time. */
  readonly inFlightBytes: number;
  /** Buffers that lie idle for the next range. */
  readonly keptBytes: number;
  /** Files of runs that stay open beside those that are read. */
  readonly idleFilesMax: number;
  readonly connectionsPerStore: number;
  /** Present: connections are over TLS, and each asks for what the certificates are now. */
  readonly tls?: { readonly certAllowedCn: readonly string[] | undefined } | undefined;
}

/** One range for one region, with everything that writing it takes: a thread remembers nothing of ranges. */
export interface ToldOrder {
  readonly region: Region;
  readonly range: KeyRange;
  readonly commitTs: bigint;
  readonly windowMessages: number;
  /** Where the region's peers are. */
  readonly stores: readonly Store[];
  readonly engineName: string;
  readonly blockDir: string;
  /** That may hold keys of the range, without what cutting ranges needs. */
  readonly runs: readonly RunInfo[];
  /** Read-ahead. */
  readonly memoryBytes: number;
}

/** Said to a thread that is to end, and its answer when it has closed what it had open. */
export const CLOSE_WRITER = "close";

export type ToWriter =
  | { readonly kind: "write"; readonly id: number; readonly order: ToldOrder }
  /** Gives an order up; it is answered nevertheless. */
  | { readonly kind: "stop"; readonly id: number }
  /** The files of an engine are no longer needed. */
  | { readonly kind: "release"; readonly id: number; readonly blockDir: string }
  /** The answer to `material`. */
  | { readonly kind: "material"; readonly id: number; readonly material?: TlsMaterial; readonly error?: string };

export type FromWriter =
  /** All peers have answered. `metas`: the leader's, in protobuf's encoding, so that nothing of them is lost. */
  | {
      readonly kind: "written";
      readonly id: number;
      readonly pairs: number;
      readonly bytes: number;
      readonly metas: readonly Uint8Array[];
    }
  | { readonly kind: "failed"; readonly id: number; readonly error: ToldError }
  | { readonly kind: "released"; readonly id: number; readonly error?: ToldError }
  /** What the certificates are now. */
  | { readonly kind: "material"; readonly id: number };

/** One thread as the pool sees it. */
export interface WriterPort {
  post(message: ToWriter): void;
  /** `onEnd` is called when the thread ends without being asked to. */
  listen(onMessage: (message: FromWriter) => void, onEnd: (error: unknown) => void): void;
  /** Ends the thread, whatever it does. */
  close(): Promise<void>;
}
