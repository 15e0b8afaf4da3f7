/**
 * The embedded cluster: PD and TiKV stores inside this process, speaking the real protocols, strict where the real ones are
 * strict. Imports nothing of the importer, so that it does not mirror its mistakes.
 */

export { type CertificateOptions, type Identity, makeCertificate } from "./certificates.ts";
export {
  type Fault,
  type FaultKind,
  type FaultPlan,
  type FaultPoint,
  FaultRunner,
  type ScriptStep,
} from "./faults/mod.ts";
export { frontStorage } from "./front-storage.ts";
export { pdRoutes, storeRoutes } from "./mount.ts";
export { openPdState, type PdState } from "./pd/mod.ts";
export { type Sandbox, type SandboxOptions, startSandbox } from "./sandbox.ts";
export { Cluster, type ClusterOptions, type StoreState } from "./state/mod.ts";

export {
  type EvaluateVirtual,
  type FrontOptions,
  type MakeRowEncoder,
  RowError,
  startFront,
  type TidbFront,
} from "./tidb/mod.ts";
