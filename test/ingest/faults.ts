/** Faults between the importer's clients and the sandbox: a call may be held, refused before it is sent, or lose its answer. */
import { LevinError } from "../../src/base/mod.ts";
import type { Connect } from "../../src/cluster/mod.ts";
import { GrpcCode, type RpcTransport } from "../../src/rpc/mod.ts";

export interface Fault {
  /** Called before a call is sent; what it throws is what the caller gets. */
  before?(call: Call): Promise<void> | void;
  /** Called when the answer is there; what it throws is what the caller gets instead of it. */
  after?(call: Call): Promise<void> | void;
  /** Called before each message of a request stream. */
  message?(call: Call, index: number): Promise<void> | void;
}

export interface Call {
  /** `MultiIngest`. */
  readonly method: string;
  readonly address: string;
  /** How often this method was called so far, from 1. */
  readonly count: number;
}

export function lost(call: Call): LevinError {
  return new LevinError("Levin:Rpc:ErrUnavailable", `Cannot call ${call.method} at ${call.address}: read ECONNRESET`, {
    fields: {
      kind: "lost",
      target: call.address,
      method: call.method,
      grpcCode: GrpcCode.Unavailable,
      grpcText: "lost",
    },
  });
}

export function unimplemented(call: Call): LevinError {
  return new LevinError("Levin:Rpc:ErrRefused", `Cannot call ${call.method}: unimplemented`, {
    fields: {
      kind: "status",
      target: call.address,
      method: call.method,
      grpcCode: GrpcCode.Unimplemented,
      grpcText: "unknown method",
    },
  });
}

/** Connections with faults; `fault` may be exchanged while calls are under way. */
export class FaultyNetwork {
  fault: Fault = {};
  /** Addresses that nobody listens at. */
  isDown: (address: string) => boolean = () => false;
  readonly counts = new Map<string, number>();
  readonly #connect: Connect;

  constructor(connect: Connect) {
    this.#connect = connect;
  }

  readonly connect: Connect = (address) => {
    const inner = this.#connect(address);
    const begin = async (method: string): Promise<Call> => {
      const count = (this.counts.get(method) ?? 0) + 1;
      this.counts.set(method, count);
      const call = { method, address, count };
      if (this.isDown(address)) throw lost(call);
      await this.fault.before?.(call);
      return call;
    };
    const transport: RpcTransport = {
      target: inner.target,
      close: () => inner.close(),
      unary: async (...args) => {
        const call = await begin(args[0].name);
        const answer = await inner.unary(...args);
        await this.fault.after?.(call);
        return answer;
      },
      stream: async (...args) => {
        await begin(args[0].name);
        return await inner.stream(...args);
      },
      openUpload: async (method, options) => {
        const call = await begin(method.name);
        const upload = await inner.openUpload(method, options);
        const { fault } = this;
        let index = 0;
        return {
          send: async (message) => {
            await fault.message?.(call, index++);
            await upload.send(message);
          },
          sendEncoded: async (parts) => {
            await fault.message?.(call, index++);
            await upload.sendEncoded(parts);
          },
          finish: async () => {
            const answer = await upload.finish();
            await fault.after?.(call);
            return answer;
          },
          abort: (reason) => upload.abort(reason),
        };
      },
    };
    return transport;
  };
}
