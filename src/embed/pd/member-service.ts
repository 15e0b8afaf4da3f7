import { Code, ConnectError, type HandlerContext } from "../grpc.ts";
import { pdService } from "./grpc-service.ts";
import type { Member, PdState } from "./state.ts";

/** Answered by every member. */
const EVERYWHERE = new Set(["getMembers", "getClusterInfo"]);
/** A follower answers them when the caller allows it. */
const FOLLOWER_READS = new Set(["getRegion", "getPrevRegion", "getRegionByID", "scanRegions", "batchScanRegions"]);
const NOT_LEADER_TSO = "[PD:tso:ErrGenerateTimestamp]generate timestamp failed, requested pd is not leader of cluster";

type Impl = ReturnType<typeof pdService>;
// biome-ignore lint/suspicious/noExplicitAny: one wrapper for all methods of the service
type Method = (request: any, context: HandlerContext) => any;

/** `pdpb.PD` as one member serves it: a follower refuses, or passes on what is marked `pd-forwarded-host`. */
export function memberService(pd: PdState, member: Member): Impl {
  const out: Record<string, Method> = {};
  for (const [name, method] of Object.entries(pdService(pd)) as [string, Method][]) {
    if (EVERYWHERE.has(name)) out[name] = method;
    else if (name === "tso") out[name] = tsoOf(pd, member, method);
    else {
      out[name] = (request, context) => {
        const text = refusal(pd, member, name, context);
        if (text !== undefined) throw new ConnectError(text, Code.Unavailable);
        return method(request, context);
      };
    }
  }
  return out as Impl;
}

/** Why this member does not serve the call; undefined = it does. */
function refusal(pd: PdState, member: Member, name: string, context: HandlerContext): string | undefined {
  if (isForwarded(pd, context) || pd.leadership.leader === member) return undefined;
  if (!FOLLOWER_READS.has(name)) return "not leader";
  if (context.requestHeader.has("pd-allow-follower-handle")) return undefined;
  return "not leader and follower handling not allowed";
}

/** Throws when the named host does not lead. */
function isForwarded(pd: PdState, context: HandlerContext): boolean {
  const host = context.requestHeader.get("pd-forwarded-host");
  if (host === null || host === "") return false;
  if (host === pd.leadership.leader.clientUrl) return true;
  const text = `forwarded host "${host}" is not a client URL of the PD leader: pd is not leader of cluster`;
  throw new ConnectError(text, Code.InvalidArgument);
}

/** The stream ends as soon as its member leads no more. */
function tsoOf(pd: PdState, member: Member, method: Method): Method {
  return async function* (requests, context) {
    const deposed = new ConnectError(NOT_LEADER_TSO, Code.Unknown);
    if (!isForwarded(pd, context) && pd.leadership.leader !== member) throw deposed;
    const ended = pd.leadership.ended().then(() => {
      throw deposed;
    });
    ended.catch(() => {});
    const answers = method(requests, context)[Symbol.asyncIterator]();
    for (;;) {
      const { done, value } = await Promise.race([answers.next(), ended]);
      if (done) return;
      yield value;
    }
  };
}
