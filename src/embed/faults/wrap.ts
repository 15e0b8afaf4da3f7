import type { Fault, FaultPoint, RegionError } from "./plan.ts";
import { type FaultRunner, type RegionHint, unavailable } from "./runner.ts";

type Service = "pd" | "import" | "kv";

/** Methods that take a stream, whose message they do not show to the seam. */
const STREAMS = new Set(["write", "tso"]);
const SERVER_STREAMS = new Set(["duplicateDetect"]);
/** Errors of the import service are in `error`, those of the key-value service in `regionError`. */
const ERROR_FIELD: Record<Service, string | undefined> = { pd: undefined, import: "error", kv: "regionError" };

// biome-ignore lint/suspicious/noExplicitAny: one wrapper for the methods of all services
type Method = (request: any, context: any) => any;

/** The same service with faults before and after its methods. */
export function withFaults<Impl extends object>(
  impl: Impl,
  service: Service,
  storeId: bigint | undefined,
  runner: FaultRunner,
): Impl {
  const out: Record<string, Method> = {};
  for (const [name, method] of Object.entries(impl) as [string, Method][]) {
    const point = { service, method: name[0]!.toUpperCase() + name.slice(1), storeId };
    if (name === "write") out[name] = writeStream(method, point, runner);
    else if (STREAMS.has(name)) out[name] = answerStream(method, point, runner, true);
    else if (SERVER_STREAMS.has(name)) out[name] = answerStream(method, point, runner, false);
    else out[name] = unary(method, point, runner, service);
  }
  return out as Impl;
}

type Point = Omit<FaultPoint, "call" | "regionId">;

function unary(method: Method, point: Point, runner: FaultRunner, service: Service): Method {
  return async (request, context) => {
    const fault = await runner.strike(point, hintOf(request));
    if (fault?.kind === "cut") throw unavailable("connection cut");
    const refused = refusalOf(fault);
    if (refused !== undefined) {
      const field = ERROR_FIELD[service];
      if (field === undefined) throw unavailable(refused.message ?? "");
      return { [field]: refused };
    }
    if (fault?.kind === "duplicate") await method(request, context);
    const answer = await method(request, context);
    if (fault?.kind === "lost-answer") throw unavailable("connection lost");
    return answer;
  };
}

/** The errorpb.Error of a fault that is one. */
function refusalOf(fault: Fault | undefined): RegionError | undefined {
  if (fault?.kind === "region-error") return fault.error;
  if (fault?.kind !== "server-busy") return undefined;
  const reason = "scheduler is busy";
  return { message: reason, serverIsBusy: { reason, backoffMs: BigInt(fault.backoffMs) } };
}

/** The seam strikes when the first message shows the region. */
function writeStream(method: Method, point: Point, runner: FaultRunner): Method {
  return async (requests: AsyncIterable<unknown>, context) => {
    let lost = false;
    let cutAfter = Number.MAX_SAFE_INTEGER;
    const watched = async function* () {
      let messages = 0;
      for await (const request of requests) {
        if (messages === 0) {
          const fault = await runner.strike(point, hintOf(request));
          const refused = refusalOf(fault);
          if (refused !== undefined) throw unavailable(refused.message ?? "");
          if (fault?.kind === "cut") cutAfter = fault.messages;
          lost = fault?.kind === "lost-answer";
        }
        if (messages++ >= cutAfter) throw unavailable("connection cut");
        yield request;
      }
      if (cutAfter !== Number.MAX_SAFE_INTEGER) throw unavailable("connection cut");
    };
    const answer = await method(watched(), context);
    if (lost) throw unavailable("connection lost");
    return answer;
  };
}

/** Streams of answers: the seam strikes once, at their beginning. */
function answerStream(method: Method, point: Point, runner: FaultRunner, hidden: boolean): Method {
  return async function* (request, context) {
    const fault = await runner.strike(point, hidden ? { regionId: undefined } : hintOf(request));
    const refused = refusalOf(fault);
    if (refused !== undefined) throw unavailable(refused.message ?? "");
    let left = fault?.kind === "cut" ? fault.messages : Number.MAX_SAFE_INTEGER;
    if (fault?.kind === "lost-answer") left = 0;
    for await (const answer of method(request, context)) {
      if (left-- <= 0) throw unavailable("connection cut");
      yield answer;
    }
  };
}

interface Asked {
  context?: { regionId?: bigint };
  regionId?: bigint;
  ssts?: { range?: RegionHint["range"] }[];
  sst?: { range?: RegionHint["range"] };
  chunk?: { case?: string; value?: { regionId?: bigint; range?: RegionHint["range"] } };
}

/** Region and key range that a request names. */
function hintOf(request: unknown): RegionHint {
  const { context, regionId, ssts, sst, chunk } = request as Asked;
  if (chunk?.case === "meta") return { regionId: chunk.value?.regionId, range: chunk.value?.range };
  const named = context?.regionId || regionId || undefined;
  return { regionId: named, range: ssts?.[0]?.range ?? sst?.range };
}
