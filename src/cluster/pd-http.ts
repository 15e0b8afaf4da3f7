import { type Clock, LevinError, type Random, toHex } from "../base/mod.ts";
import { Backoff } from "./backoff.ts";
import type { HttpAnswer, HttpRequest, SendHttp } from "./http.ts";
import { type Json, member, parseJson } from "./json.ts";
import { encodeBorder, type KeyRange } from "./keys.ts";
import { hostOf } from "./pd-members.ts";
import { withDeadline } from "./wire.ts";

interface PdHttpOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly send: SendHttp;
  readonly addresses: readonly string[];
  readonly tls?: boolean;
}

/** A rule that keeps PD's schedulers off a key range for a limited time. */
interface DenyRule {
  readonly id: string;
  /** Raw keys. */
  readonly ranges: readonly KeyRange[];
  readonly ttlSeconds: number;
}

export interface StoreStatus {
  readonly id: bigint;
  readonly address: string;
  /** Up, Offline, Disconnected, Down or Tombstone. */
  readonly stateName: string;
  readonly version: string;
  /** Bytes; undefined when PD does not know. */
  readonly capacityBytes: number | undefined;
  readonly availableBytes: number | undefined;
  readonly regionCount: number;
  readonly isTiFlash: boolean;
}

const requestTimeoutMs = 10_000;
/** As Lightning: ten tries over all addresses (wire.md 13). */
const roundsMax = 10;

/**
 * PD's HTTP API, as far as gRPC lacks it. Any member answers (followers pass requests on), so addresses are tried in turn.
 * Throws `Levin:Cluster:ErrPd` with PD's words for a refusal, `Levin:Cluster:ErrPdUnavailable` when no address answers.
 */
export class PdHttp {
  readonly #options: PdHttpOptions;
  readonly #addresses: readonly string[];
  #current = 0;

  constructor(options: PdHttpOptions) {
    this.#options = options;
    this.#addresses = options.addresses.map(hostOf);
  }

  /** `8.5.0` as [8, 5, 0]; undefined for a build without a version ("None"). */
  async version(signal?: AbortSignal): Promise<[major: number, minor: number, patch: number] | undefined> {
    const text = member(await this.#json({ method: "GET", path: "/version" }, signal), "version");
    const found = /^v?(\d+)\.(\d+)\.(\d+)/.exec(typeof text === "string" ? text : "");
    return found === null ? undefined : [Number(found[1]), Number(found[2]), Number(found[3])];
  }

  async stores(signal?: AbortSignal): Promise<StoreStatus[]> {
    const list = member(await this.#json({ method: "GET", path: "/stores" }, signal), "stores");
    return Array.isArray(list) ? list.map(storeStatus) : [];
  }

  /** How many regions without data have a peer on each store; by store id. */
  async emptyRegions(signal?: AbortSignal): Promise<Map<bigint, number>> {
    const answer = await this.#json({ method: "GET", path: "/regions/check/empty-region" }, signal);
    const counts = new Map<bigint, number>();
    for (const region of list(member(answer, "regions"))) {
      for (const peer of list(member(region, "peers"))) {
        const id = member(peer, "store_id");
        if (typeof id !== "number" && typeof id !== "bigint") continue;
        counts.set(BigInt(id), (counts.get(BigInt(id)) ?? 0) + 1);
      }
    }
    return counts;
  }

  /** max-replicas of the default placement. */
  async maxReplicas(signal?: AbortSignal): Promise<number | undefined> {
    const value = member(await this.#json({ method: "GET", path: "/config/replicate" }, signal), "max-replicas");
    return typeof value === "number" ? value : undefined;
  }

  /** Names of the schedulers; with `paused`, of those that are paused. */
  async schedulers(options: { paused?: boolean } = {}, signal?: AbortSignal): Promise<string[]> {
    const path = options.paused ? "/schedulers?status=paused" : "/schedulers";
    const list = await this.#json({ method: "GET", path }, signal);
    return Array.isArray(list) ? list.filter((name) => typeof name === "string") : [];
  }

  /** Pauses a scheduler for so long (0 resumes it). */
  async pauseScheduler(name: string, delaySeconds: number, signal?: AbortSignal): Promise<void> {
    const body = JSON.stringify({ delay: delaySeconds });
    await this.#send({ method: "POST", path: `/schedulers/${encodeURIComponent(name)}`, body }, signal);
  }

  /** The `schedule` part of the configuration. */
  async scheduleConfig(signal?: AbortSignal): Promise<Record<string, Json>> {
    const config = await this.#json({ method: "GET", path: "/config/schedule" }, signal);
    return typeof config === "object" && config !== null && !Array.isArray(config) ? config : {};
  }

  /** Overrides configuration items (`schedule.…`) for so long; 0 takes the override back. PD keeps the stored values. */
  async overrideConfig(items: Readonly<Record<string, Json>>, ttlSeconds: number, signal?: AbortSignal): Promise<void> {
    const body = JSON.stringify(items);
    await this.#send({ method: "POST", path: `/config?ttlSecond=${ttlSeconds}`, body }, signal);
  }

  /** Creates or renews a rule; its time starts anew. */
  async putDenyRule(rule: DenyRule, signal?: AbortSignal): Promise<void> {
    const body = JSON.stringify({
      id: rule.id,
      labels: [{ key: "schedule", value: "deny", ttl: `${rule.ttlSeconds}s` }],
      rule_type: "key-range",
      data: rule.ranges.map((range) => ({
        start_key: toHex(encodeBorder(range.start)),
        end_key: toHex(encodeBorder(range.end)),
      })),
    });
    await this.#send({ method: "POST", path: "/config/region-label/rule", body }, signal);
  }

  /** Ids of all label rules. */
  async labelRuleIds(signal?: AbortSignal): Promise<string[]> {
    const rules = await this.#json({ method: "GET", path: "/config/region-label/rules" }, signal);
    const ids = Array.isArray(rules) ? rules.map((rule) => member(rule, "id")) : [];
    return ids.filter((id) => typeof id === "string");
  }

  /** A rule that is gone already is no error. */
  async deleteLabelRule(id: string, signal?: AbortSignal): Promise<void> {
    const path = `/config/region-label/rule/${encodeURIComponent(id)}`;
    await this.#send({ method: "DELETE", path, absentIsFine: true }, signal);
  }

  async #json(request: PdRequest, signal?: AbortSignal): Promise<Json> {
    const answer = await this.#send(request, signal);
    try {
      return parseJson(answer.body);
    } catch (cause) {
      throw new LevinError("Levin:Cluster:ErrPd", `Cannot read PD's answer to ${request.path}: it is no JSON`, {
        cause,
      });
    }
  }

  async #send(request: PdRequest, signal?: AbortSignal): Promise<HttpAnswer> {
    const { clock, random } = this.#options;
    const backoff = new Backoff({ clock, random, firstMs: 200, maxMs: 1_000 });
    let last: unknown;
    for (let attempt = 0; attempt < roundsMax; attempt++) {
      if (attempt > 0) await backoff.wait(signal);
      for (let turn = 0; turn < this.#addresses.length; turn++) {
        const address = this.#addresses[this.#current]!;
        try {
          const answer = await this.#sendTo(address, request, signal);
          if (answer.status === 200 || (request.absentIsFine && answer.status === 404)) return answer;
          last = refusal(address, request, answer);
          if (!isTransientAnswer(answer)) throw last;
        } catch (thrown) {
          if (signal?.aborted || !isRetryable(thrown)) throw thrown;
          last = thrown;
        }
        this.#current = (this.#current + 1) % this.#addresses.length;
      }
    }
    if (last instanceof LevinError && last.code === "Levin:Cluster:ErrPd") throw last;
    const detail = last instanceof Error ? last.message : "there is no address";
    throw new LevinError("Levin:Cluster:ErrPdUnavailable", `Cannot reach PD's HTTP API: ${detail}`, { cause: last });
  }

  async #sendTo(address: string, request: PdRequest, signal?: AbortSignal): Promise<HttpAnswer> {
    const base = `${this.#options.tls ? "https" : "http"}://${address}/pd/api/v1`;
    const sent: HttpRequest = { method: request.method, url: base + request.path };
    const limit = {
      clock: this.#options.clock,
      timeoutMs: requestTimeoutMs,
      signal,
      what: `${request.method} ${request.path} of PD on ${address}`,
    };
    const withBody = request.body === undefined ? sent : { ...sent, body: request.body };
    return await withDeadline(limit, async (inner) => {
      try {
        return await this.#options.send(withBody, inner);
      } catch (cause) {
        const detail = cause instanceof Error ? cause.message : String(cause);
        const code = isTlsCause(cause) ? "Levin:Rpc:ErrTls" : "Levin:Rpc:ErrUnavailable";
        throw new LevinError(code, `Cannot call PD's HTTP API at ${address}: ${detail}`, { cause });
      }
    });
  }
}

interface PdRequest {
  readonly method: HttpRequest["method"];
  /** Behind /pd/api/v1. */
  readonly path: string;
  readonly body?: string;
  readonly absentIsFine?: boolean;
}

function isTlsCause(cause: unknown): boolean {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  return /^(ERR_SSL_|ERR_TLS_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|EPROTO)/.test(code);
}

function isRetryable(thrown: unknown): boolean {
  return thrown instanceof LevinError && ["Levin:Rpc:ErrUnavailable", "Levin:Rpc:ErrDeadline"].includes(thrown.code);
}

/** While the leader changes, followers cannot pass requests on. Other errors 500 are lasting refusals. */
function isTransientAnswer(answer: HttpAnswer): boolean {
  if (answer.status >= 502 && answer.status <= 504) return true;
  return answer.status === 500 && /ErrRedirect|no leader|not leader|ErrLeaderNil|ErrForwardServer/i.test(answer.body);
}

function refusal(address: string, request: PdRequest, answer: HttpAnswer): LevinError {
  const words = answer.body.trim().slice(0, 500);
  return new LevinError(
    "Levin:Cluster:ErrPd",
    `Cannot ${request.method} ${request.path} on PD ${address}: status ${answer.status}, ${words === "" ? "no text" : words}`,
    { fields: { address, path: request.path, status: answer.status } },
  );
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

function storeStatus(entry: Json): StoreStatus {
  const store = member(entry, "store");
  const status = member(entry, "status");
  const text = (value: Json | undefined): string => (typeof value === "string" ? value : "");
  const id = member(store, "id");
  const regions = member(status, "region_count");
  return {
    id: typeof id === "number" || typeof id === "bigint" ? BigInt(id) : 0n,
    address: text(member(store, "address")),
    stateName: text(member(store, "state_name")),
    version: text(member(store, "version")),
    capacityBytes: sizeBytes(text(member(status, "capacity"))),
    availableBytes: sizeBytes(text(member(status, "available"))),
    regionCount: typeof regions === "number" ? regions : 0,
    isTiFlash: list(member(store, "labels")).some(
      (label) => member(label, "key") === "engine" && text(member(label, "value")).startsWith("tiflash"),
    ),
  };
}

/** `1.5TiB` → bytes; PD writes sizes for people. */
export function sizeBytes(text: string): number | undefined {
  const found = /^([\d.]+)\s*([KMGTPE]?)(?:i?B)?$/.exec(text);
  if (found === null) return undefined;
  const power = " KMGTPE".indexOf(found[2] === "" ? " " : found[2]!);
  return Math.round(Number(found[1]) * 1024 ** power);
}
