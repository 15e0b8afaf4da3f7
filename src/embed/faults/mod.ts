/**
 * The one seam through which tests make the embedded cluster fail: a plan is asked at each call, the runner does the harm, the
 * wrapper puts it before and after a service's methods. Services without a plan are not wrapped.
 */
export {
  type Fault,
  type FaultKind,
  type FaultPlan,
  type FaultPoint,
  type RegionError,
  randomFaults,
  type ScriptStep,
  scriptedFaults,
} from "./plan.ts";
export { FaultRunner } from "./runner.ts";
export { withFaults } from "./wrap.ts";
