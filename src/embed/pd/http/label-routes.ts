import { compareBytes, fromHex } from "../../../base/mod.ts";
import type { HttpAnswer } from "../../net/mod.ts";
import { decodeKey, inRegion, type Region } from "../../state/mod.ts";
import type { LabelRule } from "../settings.ts";
import type { PdState } from "../state.ts";
import { bodyOf, type Call, json, plain } from "./answer.ts";
import { parseGoDuration, unixDate } from "./go-time.ts";
import { type JsonValue, objectOf } from "./json.ts";
import type { Route } from "./router.ts";

const CONTENT = "[PD:region:ErrRegionRuleContent]invalid region rule content,";
const RULE = "/pd/api/v1/config/region-label/rule";

/** `/pd/api/v1/config/region-label/…`. Rules cut regions at their borders, as PD does within seconds; here at once. */
export function labelRoutes(pd: PdState): Route[] {
  return [
    ["GET", `${RULE}s`, () => json(pd.settings.rules().map(shown))],
    ["PATCH", `${RULE}s`, (call) => patch(pd, call)],
    ["GET", `${RULE}s/ids`, (call) => byIds(pd, call)],
    ["POST", RULE, (call) => post(pd, call)],
    ["GET", `${RULE}/*id`, (call) => one(pd, call)],
    ["DELETE", `${RULE}/*id`, (call) => remove(pd, call)],
  ];
}

function shown({ id, index, labels, rule_type, data }: LabelRule): JsonValue {
  const plainLabels = labels.map(({ key, value, ttl, start_at }) => ({ key, value, ttl, start_at }));
  return { id, index, labels: plainLabels, rule_type, data };
}

function one(pd: PdState, call: Call): HttpAnswer {
  const rule = pd.settings.rules().find(({ id }) => id === call.params.id);
  return rule === undefined ? json(null, 404) : json(shown(rule));
}

function byIds(pd: PdState, call: Call): HttpAnswer {
  const body = bodyOf(call);
  if (body.refused !== undefined) return body.refused;
  const ids = Array.isArray(body.value) ? body.value : [];
  return json(
    pd.settings
      .rules()
      .filter(({ id }) => ids.includes(id))
      .map(shown),
  );
}

async function post(pd: PdState, call: Call): Promise<HttpAnswer> {
  const body = bodyOf(call);
  if (body.refused !== undefined) return body.refused;
  const rule = ruleOf(pd, body.value);
  if (typeof rule === "string") return json(rule, 400);
  await set(pd, rule);
  return json("Update region label rule successfully.");
}

async function remove(pd: PdState, call: Call): Promise<HttpAnswer> {
  const id = call.params.id!;
  if (!pd.settings.rules().some((rule) => rule.id === id)) {
    return json(`[PD:region:ErrRegionRuleNotFound]region label rule not found for id ${id}`, 404);
  }
  pd.settings.labelRules.delete(id);
  await pd.settings.save();
  return plain("Delete rule successfully.");
}

/** `{"sets": [rule…], "deletes": [id…]}`; deleting what is not there is no error. */
async function patch(pd: PdState, call: Call): Promise<HttpAnswer> {
  const body = bodyOf(call);
  if (body.refused !== undefined) return body.refused;
  const { sets, deletes } = objectOf(body.value) ?? {};
  const rules: LabelRule[] = [];
  for (const item of Array.isArray(sets) ? sets : []) {
    const rule = ruleOf(pd, item);
    if (typeof rule === "string") return json(rule, 400);
    rules.push(rule);
  }
  for (const id of Array.isArray(deletes) ? deletes : []) pd.settings.labelRules.delete(String(id));
  for (const rule of rules) await set(pd, rule);
  await pd.settings.save();
  return json("Update region label rules successfully.");
}

/** A checked rule, or PD's words on what is wrong with it. */
function ruleOf(pd: PdState, value: JsonValue): LabelRule | string {
  const { id, index, labels, rule_type, data } = objectOf(value) ?? {};
  if (typeof id !== "string" || id === "") return `${CONTENT} empty rule id`;
  if (!Array.isArray(labels) || labels.length === 0) return `${CONTENT} no region labels`;
  const now = pd.cluster.options.clock.nowMs();
  const kept: LabelRule["labels"] = [];
  for (const item of labels) {
    const { key, value: text, ttl } = objectOf(item) ?? {};
    const label: LabelRule["labels"][number] = { key: String(key ?? ""), value: String(text ?? "") };
    if (typeof ttl === "string" && ttl !== "") {
      const duration = parseGoDuration(ttl);
      if (duration.error !== undefined) return `${CONTENT} region label with invalid ttl info ${duration.error}`;
      Object.assign(label, { ttl, start_at: unixDate(now), expiresMs: now + duration.ms });
    }
    kept.push(label);
  }
  if (rule_type !== "key-range") return `${CONTENT} invalid rule type: ${String(rule_type ?? "")}`;
  const ranges = rangesOf(data);
  if (typeof ranges === "string") return ranges;
  const raw = ranges.flatMap(({ start_key, end_key }) => [start_key, end_key]).find((key) => !isEncoded(key));
  if (raw !== undefined)
    return pd.cluster.harm(`label rule key ${raw} is not encoded: regions would be cut there`).message;
  return { id, index: typeof index === "number" ? index : 0, labels: kept, rule_type, data: ranges };
}

function rangesOf(data: JsonValue | undefined): LabelRule["data"] | string {
  if (!Array.isArray(data) || data.length === 0) return `${CONTENT} no key ranges`;
  const out: LabelRule["data"] = [];
  for (const item of data) {
    const { start_key, end_key } = objectOf(item) ?? {};
    const [start, end] = [String(start_key ?? "").toLowerCase(), String(end_key ?? "").toLowerCase()];
    for (const key of [start, end]) {
      if (!/^([0-9a-f]{2})*$/.test(key)) return `[PD:hex:ErrHexDecodingString]decode string ${key} error`;
    }
    if (end !== "" && compareBytes(fromHex(end), fromHex(start)) <= 0) {
      return `${CONTENT} endKey should be greater than startKey`;
    }
    out.push({ start_key: start, end_key: end });
  }
  return out;
}

function isEncoded(hex: string): boolean {
  return hex === "" || decodeKey(fromHex(hex)) !== undefined;
}

async function set(pd: PdState, rule: LabelRule): Promise<void> {
  pd.settings.labelRules.set(rule.id, rule);
  const borders = rule.data.flatMap(({ start_key, end_key }) => [start_key, end_key]).filter((key) => key !== "");
  await pd.cluster.placement.splitAt(borders.map(fromHex));
  await pd.settings.save();
}

/** Labels that rules give to a region: those whose range holds all of it. */
export function labelsOf(pd: PdState, region: Region): { key: string; value: string }[] {
  const out: { key: string; value: string }[] = [];
  for (const rule of pd.settings.rules()) {
    const holds = rule.data.some(({ start_key, end_key }) => {
      const whole = { ...region, startKey: fromHex(start_key), endKey: fromHex(end_key) };
      const endInside = end_key === "" || (region.endKey.length > 0 && compareBytes(region.endKey, whole.endKey) <= 0);
      return inRegion(whole, region.startKey) && endInside;
    });
    if (holds) for (const { key, value } of rule.labels) out.push({ key, value });
  }
  return out;
}
