/**
 * The embedded cluster: PD and TiKV stores inside this process, speaking the real protocols, strict where the real ones are
 * strict. Imports nothing of the importer, so that it does not mirror its mistakes.
 */
export { type Sandbox, type SandboxOptions, startSandbox } from "./sandbox.ts";
export { Cluster, type ClusterOptions } from "./state/mod.ts";
