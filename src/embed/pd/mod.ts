/**
 * The placement driver of the embedded cluster, members that share one state: `pdpb.PD` as a plain object and PD's HTTP API as a function
 * from request to answer. Bodies and statuses follow a real PD (master of August 2026).
 *
 * Lacks: schedulers that work (pausing them is kept and shown), heartbeats of foreign stores, keyspaces, etcd.
 */
export { pdService } from "./grpc-service.ts";
export { pdHttp } from "./http/mod.ts";
export { memberService } from "./member-service.ts";
export { type Member, openPdState, type PdState } from "./state.ts";
