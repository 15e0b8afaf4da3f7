import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  BatchCommandsResponse_ResponseSchema as AnswerSchema,
  BatchCommandsRequest,
  BatchCommandsResponseSchema,
  BatchCommandsRequest_Request as Command,
  Tikv,
} from "../../../gen/tikvpb_pb.ts";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "../grpc.ts";

type Kv = Partial<ServiceImpl<typeof Tikv>>;
type Answer = MessageInitShape<typeof AnswerSchema>;
type Batch = MessageInitShape<typeof BatchCommandsResponseSchema>;

/** The method of the service that a command stands for; `empty` is answered at once. */
const METHODS = {
  get: "kvGet",
  scan: "kvScan",
  prewrite: "kvPrewrite",
  commit: "kvCommit",
  batchGet: "kvBatchGet",
  batchRollback: "kvBatchRollback",
  scanLock: "kvScanLock",
  resolveLock: "kvResolveLock",
  coprocessor: "coprocessor",
  checkTxnStatus: "kvCheckTxnStatus",
  txnHeartBeat: "kvTxnHeartBeat",
} as const;

// biome-ignore lint/suspicious/noExplicitAny: one call for the methods of a service
type Method = (request: any, context: HandlerContext) => any;

/**
 * `BatchCommands`: calls of the other methods on one stream, each answered as soon as it is done. A call that fails outright ends
 * the stream, as TiKV has no other way to say so; a command that is not known does too.
 */
export function batchCommands(service: Kv): NonNullable<Kv["batchCommands"]> {
  return async function* (requests, context) {
    const stream = new CommandStream(service, context);
    const reading = stream.read(requests);
    reading.catch(() => {});
    yield* stream.answers();
    await reading;
  };
}

class CommandStream {
  readonly #service: Kv;
  readonly #context: HandlerContext;
  readonly #running = new Set<Promise<void>>();
  #done: { id: bigint; answer: Answer }[] = [];
  #failure: { readonly thrown: unknown } | undefined;
  #isRead = false;
  #wake: (() => void) | undefined;

  constructor(service: Kv, context: HandlerContext) {
    this.#service = service;
    this.#context = context;
  }

  async read(requests: AsyncIterable<BatchCommandsRequest>): Promise<void> {
    try {
      for await (const batch of requests) {
        for (const [i, command] of batch.requests.entries()) this.#start(batch.requestIds[i] ?? 0n, command);
      }
      await Promise.all(this.#running);
    } finally {
      this.#isRead = true;
      this.#wake?.();
    }
  }

  async *answers(): AsyncGenerator<Batch> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.thrown;
      const done = this.#done;
      this.#done = [];
      if (done.length > 0) yield { responses: done.map((one) => one.answer), requestIds: done.map((one) => one.id) };
      else if (this.#isRead) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #start(id: bigint, command: Command): void {
    const call = this.#run(command)
      .then(
        (answer) => void this.#done.push({ id, answer }),
        (thrown: unknown) => {
          this.#failure ??= { thrown };
        },
      )
      .finally(() => {
        this.#running.delete(call);
        this.#wake?.();
      });
    this.#running.add(call);
  }

  async #run({ cmd }: Command): Promise<Answer> {
    if (cmd.case === undefined) throw new ConnectError("unknown command in a batch", Code.Unimplemented);
    if (cmd.case === "empty") return { cmd: { case: "empty", value: { testId: cmd.value.testId } } };
    const method: Method | undefined = this.#service[METHODS[cmd.case]];
    if (method === undefined) throw new ConnectError(`unknown command ${cmd.case}`, Code.Unimplemented);
    return { cmd: { case: cmd.case, value: await method(cmd.value, this.#context) } };
  }
}
