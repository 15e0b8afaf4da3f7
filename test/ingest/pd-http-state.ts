/** PD's label rules, scheduler pauses and overrides, each with its time limit, as its HTTP API shows them (network.md 4). */
import { type Clock, seededRandom } from "../../src/base/mod.ts";
import { type HttpAnswer, type HttpRequest, PdHttp } from "../../src/cluster/mod.ts";

interface Rule {
  id: string;
  labels: { key: string; value: string; ttl: string }[];
  data: { start_key: string; end_key: string }[];
}

export class PdHttpState {
  readonly #clock: Clock;
  version = "v8.5.0";
  /** A PD before 6.1 has no label rules. */
  hasLabelRules = true;
  readonly schedulers = ["balance-region-scheduler", "balance-leader-scheduler", "evict-slow-store-scheduler"];
  readonly schedule: Record<string, unknown> = {
    "leader-schedule-limit": 4,
    "region-schedule-limit": 2048,
    "max-snapshot-count": 64,
    "max-merge-region-size": 54,
    "max-merge-region-keys": 540000,
    "enable-location-replacement": "true",
  };
  readonly #rules = new Map<string, { rule: Rule; until: number }>();
  readonly #paused = new Map<string, number>();
  readonly #overrides = new Map<string, { value: unknown; until: number }>();
  readonly requests: string[] = [];
  /** Requests whose line matches fail with status 400. */
  refuse: RegExp | undefined;
  /** Requests whose line matches are never answered. */
  ignore: RegExp | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  client(): PdHttp {
    const send = async (request: HttpRequest): Promise<HttpAnswer> => {
      if (this.ignore?.test(lineOf(request))) await new Promise(() => undefined);
      return this.#answer(request);
    };
    return new PdHttp({ clock: this.#clock, random: seededRandom(5), send, addresses: ["pd:2379"] });
  }

  get rules(): Rule[] {
    return this.#alive(this.#rules).map(([, { rule }]) => rule);
  }

  get paused(): string[] {
    return [...this.#paused].filter(([, until]) => until > this.#clock.monotonicMs()).map(([name]) => name);
  }

  get overrides(): Record<string, unknown> {
    return Object.fromEntries(this.#alive(this.#overrides).map(([name, { value }]) => [name, value]));
  }

  #alive<T extends { until: number }>(map: Map<string, T>): [string, T][] {
    return [...map].filter(([, { until }]) => until > this.#clock.monotonicMs());
  }

  #answer(request: HttpRequest): HttpAnswer {
    const line = lineOf(request);
    const path = line.slice(request.method.length + 1);
    this.requests.push(line);
    const ok = (body: unknown): HttpAnswer => ({ status: 200, body: JSON.stringify(body) });
    if (this.refuse?.test(line)) return { status: 400, body: '"no"' };
    const body = request.body === undefined ? {} : JSON.parse(request.body);
    const until = (seconds: number): number => this.#clock.monotonicMs() + seconds * 1000;
    if (line === "GET /version") return ok({ version: this.version });
    if (line === "GET /stores") return ok({ count: 3, stores: [{}, {}, {}] });
    if (line === "GET /schedulers") return ok(this.schedulers);
    if (line === "GET /schedulers?status=paused") return ok(this.paused);
    if (line === "GET /config/schedule") return ok(this.schedule);
    if (path.startsWith("/schedulers/")) {
      this.#paused.set(decodeURIComponent(path.slice(12)), until(body.delay));
      return ok("Pause or resume the scheduler successfully.");
    }
    if (path.startsWith("/config?ttlSecond=")) {
      const seconds = Number(path.slice(18));
      for (const [name, value] of Object.entries(body)) this.#overrides.set(name, { value, until: until(seconds) });
      return ok("The ttl config is updated.");
    }
    if (path.startsWith("/config/region-label/") && this.hasLabelRules) return this.#labels(line, body, until, ok);
    return { status: 404, body: "404 page not found" };
  }

  #labels(line: string, body: Rule, until: (s: number) => number, ok: (b: unknown) => HttpAnswer): HttpAnswer {
    if (line === "GET /config/region-label/rules") return ok([{ id: "keyspaces/0" }, ...this.rules]);
    if (line === "POST /config/region-label/rule") {
      const seconds = Number(/^(\d+)s$/.exec(body.labels[0]!.ttl)![1]);
      this.#rules.set(body.id, { rule: body, until: until(seconds) });
      return ok("Update region label rule successfully.");
    }
    const id = decodeURIComponent(line.replace("DELETE /config/region-label/rule/", ""));
    return this.#rules.delete(id) ? ok("Delete rule successfully.") : { status: 404, body: '"rule not found"' };
  }
}

/** Method and path. */
function lineOf({ method, url }: HttpRequest): string {
  return `${method} ${url.replace("http://pd:2379/pd/api/v1", "")}`;
}
