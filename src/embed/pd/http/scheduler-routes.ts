import type { HttpAnswer } from "../../net/mod.ts";
import type { PdState } from "../state.ts";
import { badInput, bodyOf, type Call, json, queryText } from "./answer.ts";
import { objectOf } from "./json.ts";
import type { Route } from "./router.ts";

const NOT_FOUND = "[PD:scheduler:ErrSchedulerNotFound]scheduler not found";

/** Schedulers that PD can make on request. */
const KNOWN = [
  "balance-leader-scheduler",
  "balance-region-scheduler",
  "balance-hot-region-scheduler",
  "evict-leader-scheduler",
  "evict-slow-store-scheduler",
  "grant-leader-scheduler",
  "label-scheduler",
  "random-merge-scheduler",
  "scatter-range-scheduler",
  "shuffle-hot-region-scheduler",
  "shuffle-leader-scheduler",
  "shuffle-region-scheduler",
];

/** `/pd/api/v1/schedulers…`. Pausing is kept and shown; no scheduler works here. */
export function schedulerRoutes(pd: PdState): Route[] {
  return [
    ["GET", "/pd/api/v1/schedulers", (call) => list(pd, call)],
    ["POST", "/pd/api/v1/schedulers", (call) => add(pd, call)],
    ["POST", "/pd/api/v1/schedulers/:name", (call) => pause(pd, call)],
    ["DELETE", "/pd/api/v1/schedulers/:name", (call) => remove(pd, call)],
  ];
}

function list(pd: PdState, call: Call): HttpAnswer {
  const status = queryText(call, "status");
  if (status === "paused") return json(pd.settings.paused());
  if (status === "disabled") return json([]);
  return json(pd.settings.schedulers);
}

async function add(pd: PdState, call: Call): Promise<HttpAnswer> {
  const body = bodyOf(call);
  if (body.refused !== undefined) return body.refused;
  const name = objectOf(body.value)?.name;
  if (typeof name !== "string") return json("missing scheduler name", 400);
  if (!KNOWN.includes(name)) return json("unknown scheduler", 400);
  if (pd.settings.schedulers.includes(name)) return json("[PD:scheduler:ErrSchedulerExisted]scheduler existed", 400);
  pd.settings.schedulers.push(name);
  await pd.settings.save();
  return json("The scheduler is created.");
}

async function remove(pd: PdState, call: Call): Promise<HttpAnswer> {
  const name = call.params.name!;
  if (!pd.settings.schedulers.includes(name)) return json(NOT_FOUND, 404);
  pd.settings.schedulers = pd.settings.schedulers.filter((other) => other !== name);
  await pd.settings.save();
  return json("The scheduler is removed.");
}

function pause(pd: PdState, call: Call): HttpAnswer {
  const body = bodyOf(call);
  if (body.refused !== undefined) return body.refused;
  const delay = objectOf(body.value)?.delay;
  if (delay === undefined) return json("missing pause time", 400);
  if (typeof delay !== "number") {
    const kind = typeof delay;
    const data = { Value: kind, Type: {}, Offset: call.body.length - 1, Struct: "", Field: "" };
    return badInput(`json: cannot unmarshal ${kind} into Go value of type int64`, data);
  }
  const name = call.params.name!;
  if (name !== "all" && !pd.settings.schedulers.includes(name)) return json(NOT_FOUND, 500);
  for (const scheduler of name === "all" ? pd.settings.schedulers : [name]) pd.settings.pause(scheduler, delay);
  return json("Pause or resume the scheduler successfully.");
}
