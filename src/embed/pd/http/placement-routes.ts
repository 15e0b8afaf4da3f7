import type { HttpAnswer } from "../../net/mod.ts";
import type { PdState } from "../state.ts";
import { bodyOf, type Call, json } from "./answer.ts";
import { type JsonValue, objectOf } from "./json.ts";
import type { Route } from "./router.ts";

const ROLES = ["voter", "leader", "follower", "learner"];

type Rule = Record<string, unknown>;

/** `/pd/api/v1/config/rules…`, `/rule…`, `/placement-rule…`. Rules are kept and shown; they move nothing. */
export function placementRoutes(pd: PdState): Route[] {
  const config = "/pd/api/v1/config";
  const all = () => json(pd.settings.placementRules as JsonValue);
  return [
    ["GET", `${config}/rules`, all],
    ["GET", `${config}/rules/group/:group`, ({ params }) => json(ofGroup(pd, params.group!) as JsonValue)],
    ["GET", `${config}/rules/region/:id`, all],
    ["GET", `${config}/rules/key/:key`, all],
    ["GET", `${config}/rule/:group/:id`, ({ params }) => one(pd, params.group!, params.id!)],
    ["POST", `${config}/rule`, (call) => post(pd, call)],
    ["DELETE", `${config}/rule/:group/:id`, ({ params }) => remove(pd, params.group!, params.id!)],
    ["GET", `${config}/rule_groups`, () => json(groups(pd).map((id) => ({ id })))],
    ["GET", `${config}/placement-rule`, () => json(groups(pd).map((id) => bundle(pd, id)))],
    ["GET", `${config}/placement-rule/:group`, ({ params }) => json(bundle(pd, params.group!))],
  ];
}

function ofGroup(pd: PdState, group: string): Rule[] {
  return pd.settings.placementRules.filter((rule) => rule.group_id === group);
}

function groups(pd: PdState): string[] {
  return [...new Set(pd.settings.placementRules.map((rule) => String(rule.group_id)))].sort();
}

function bundle(pd: PdState, group: string): JsonValue {
  const rules = ofGroup(pd, group) as JsonValue;
  return { group_id: group, group_index: 0, group_override: false, rules };
}

function one(pd: PdState, group: string, id: string): HttpAnswer {
  const rule = ofGroup(pd, group).find((other) => other.id === id);
  return rule === undefined ? json("[PD:placement:ErrRuleNotFound]rule not found", 404) : json(rule as JsonValue);
}

async function post(pd: PdState, call: Call): Promise<HttpAnswer> {
  const body = bodyOf(call);
  if (body.refused !== undefined) return body.refused;
  const rule = objectOf(body.value) ?? {};
  const role = String(rule.role ?? "");
  if (!ROLES.includes(role))
    return json(`[PD:placement:ErrRuleContent]invalid rule content, invalid role ${role}`, 400);
  const others = pd.settings.placementRules.filter((other) => other.group_id !== rule.group_id || other.id !== rule.id);
  pd.settings.placementRules = [...others, rule];
  await pd.settings.save();
  return json("Update rule successfully.");
}

async function remove(pd: PdState, group: string, id: string): Promise<HttpAnswer> {
  pd.settings.placementRules = pd.settings.placementRules.filter((rule) => rule.group_id !== group || rule.id !== id);
  await pd.settings.save();
  return json("Delete rule successfully.");
}
