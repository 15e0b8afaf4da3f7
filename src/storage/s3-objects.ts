import { equalBytes, LevinError, newUuid, textOf, utf8, uuidText } from "../base/mod.ts";
import type { HttpAnswer } from "./http.ts";
import type { ObjectInfo, ObjectReader, ObjectStorage } from "./object-storage.ts";
import type { S3Client } from "./s3-client.ts";
import { parseListPage } from "./s3-xml.ts";

/** Where BR's releases up to 8.1 put their checkpoints: the names began with a slash, so that it stands twice in the key. */
const DOUBLED = /^checkpoints\//;

interface Conditions {
  write: boolean;
  remove: boolean;
}

/**
 * A prefix of a bucket as storage. A write is one PUT: whole, durable, at most 5 GB. `replaceIf` is a conditional PUT (If-None-Match, If-Match);
 * whether the store minds the conditions is tried once before the first one, because some ignore them silently. Objects that older BR
 * releases wrote with a doubled slash are found and kept where they are.
 */
export class S3Objects implements ObjectStorage {
  readonly uri: string;
  private readonly client: S3Client;
  private readonly prefix: string;
  /** Names whose objects have the doubled slash. */
  private readonly doubled = new Set<string>();
  private conditions: Promise<Conditions> | undefined;

  constructor(client: S3Client) {
    this.client = client;
    const { bucket, prefix } = client.options;
    this.prefix = prefix === "" ? "" : `${prefix}/`;
    this.uri = `s3://${bucket}/${this.prefix}`;
  }

  private keyOf(name: string): string {
    return this.doubled.has(name) ? `${this.prefix}/${name}` : `${this.prefix}${name}`;
  }

  /** The answer of a GET of the object wherever it is; undefined when there is none. */
  private async get(name: string, headers: Record<string, string> = {}): Promise<HttpAnswer | undefined> {
    const found = await this.client.send({ method: "GET", key: this.keyOf(name), headers, accept: [404, 416] });
    if (found.status !== 404) return found;
    this.minded(found);
    if (!DOUBLED.test(name) || this.doubled.has(name)) return undefined;
    const key = `${this.prefix}/${name}`;
    const older = await this.client.send({ method: "GET", key, headers, accept: [404, 416] });
    if (older.status === 404) return undefined;
    this.doubled.add(name);
    return older;
  }

  /** A missing bucket is no missing object. */
  private minded(answer: HttpAnswer): void {
    if (!/<Code>NoSuchBucket</.test(textOf(answer.body.subarray(0, 4096)))) return;
    throw new LevinError("Levin:Storage:ErrDenied", `Cannot read "${this.uri}": there is no such bucket`);
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    return (await this.get(name))?.body;
  }

  async openRead(name: string): Promise<ObjectReader | undefined> {
    const first = await this.get(name, { range: "bytes=0-0" });
    if (first === undefined) return undefined;
    const range = first.headers["content-range"];
    const sizeBytes = Number(range?.slice(range.lastIndexOf("/") + 1) ?? first.body.length);
    if (!Number.isSafeInteger(sizeBytes)) throw this.odd(name, `the store does not tell its size ("${range}")`);
    const etag = first.headers["etag"];
    return {
      sizeBytes,
      read: (into, position) => this.readRange(name, etag, into, position, sizeBytes),
      close: async () => {},
    };
  }

  private async readRange(
    name: string,
    etag: string | undefined,
    into: Uint8Array,
    position: number,
    sizeBytes: number,
  ): Promise<number> {
    const end = Math.min(position + into.length, sizeBytes);
    if (end <= position) return 0;
    const headers = { range: `bytes=${position}-${end - 1}`, ...(etag === undefined ? {} : { "if-match": etag }) };
    const answer = await this.client.send({ method: "GET", key: this.keyOf(name), headers, accept: [404, 412] });
    if (answer.status === 412 || answer.status === 404) throw this.odd(name, "it was replaced while it was read");
    // A store without ranges sends all of it.
    const part = answer.status === 206 ? answer.body : answer.body.subarray(position, end);
    if (part.length !== end - position)
      throw this.odd(name, `the store sent ${part.length} bytes for ${headers.range}`);
    into.set(part);
    return part.length;
  }

  private odd(name: string, detail: string): LevinError {
    const path = this.client.nameOf(this.keyOf(name));
    return new LevinError("Levin:Storage:ErrFailed", `Cannot read "${path}": ${detail}`, { fields: { path } });
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    await this.put(this.keyOf(name), bytes);
  }

  private put(
    key: string,
    body: Uint8Array,
    headers: Record<string, string> = {},
    accept: readonly number[] = [],
  ): Promise<HttpAnswer> {
    const all = { ...this.client.options.writeHeaders, ...headers };
    return this.client.send({ method: "PUT", key, body, headers: all, accept });
  }

  async replaceIf(name: string, expected: Uint8Array | undefined, bytes: Uint8Array): Promise<boolean> {
    if (!(await this.supported(name)).write) {
      throw new LevinError(
        "Levin:Storage:ErrFailed",
        `Cannot lock "${this.uri}${name}": the store does not mind If-Match and If-None-Match, so two owners could hold it`,
        { fields: { path: `${this.uri}${name}` } },
      );
    }
    const found = await this.get(name);
    if (found === undefined || expected === undefined) {
      if (found !== undefined || expected !== undefined) return false;
      return this.putIf(name, bytes, { "if-none-match": "*" });
    }
    const etag = found.headers["etag"];
    if (etag === undefined || !equalBytes(found.body, expected)) return false;
    return this.putIf(name, bytes, { "if-match": etag });
  }

  /** True when the object holds these bytes by this call. */
  private async putIf(name: string, bytes: Uint8Array, condition: Record<string, string>): Promise<boolean> {
    const answer = await this.put(this.keyOf(name), bytes, condition, [404, 409, 412]);
    if (answer.status < 300) return true;
    // An earlier request may have been carried out and its answer lost; HTTP clients send again by themselves, too.
    const found = await this.get(name);
    return found !== undefined && equalBytes(found.body, bytes);
  }

  async removeIf(name: string, expected: Uint8Array): Promise<boolean> {
    const found = await this.get(name);
    const etag = found?.headers["etag"];
    if (found === undefined || etag === undefined || !equalBytes(found.body, expected)) return false;
    const headers = { "if-match": etag };
    const answer = await this.client.send({
      method: "DELETE",
      key: this.keyOf(name),
      headers,
      accept: [404, 409, 412],
    });
    return answer.status < 300 || (await this.get(name)) === undefined;
  }

  async removesIf(): Promise<boolean> {
    return (await this.supported("")).remove;
  }

  private supported(name: string): Promise<Conditions> {
    if (this.conditions === undefined) {
      this.conditions = this.tryConditions(name);
      // What failed is tried again with the next call.
      this.conditions.catch(() => {
        this.conditions = undefined;
      });
    }
    return this.conditions;
  }

  /** Writes an object of its own twice under conditions that do not hold the second time, and removes it so. */
  private async tryConditions(name: string): Promise<Conditions> {
    const key = `${this.keyOf(name || "levin")}.probe.${uuidText(newUuid())}`;
    const refused = ({ status }: HttpAnswer): boolean => status === 412 || status === 409;
    const first = await this.put(key, utf8("1"), { "if-none-match": "*" }, [412, 501]);
    if (first.status === 501) return { write: false, remove: false };
    try {
      const wrong = { "if-match": '"00000000000000000000000000000000"' };
      const write =
        refused(await this.put(key, utf8("2"), { "if-none-match": "*" }, [409, 412, 501])) &&
        refused(await this.put(key, utf8("3"), wrong, [409, 412, 501]));
      const removal = await this.client.send({ method: "DELETE", key, headers: wrong, accept: [409, 412, 501] });
      return { write, remove: write && refused(removal) };
    } finally {
      await this.client.send({ method: "DELETE", key, accept: [404] });
    }
  }

  async remove(name: string): Promise<void> {
    await this.client.send({ method: "DELETE", key: this.keyOf(name), accept: [404] });
  }

  async list(folder: string, signal?: AbortSignal): Promise<ObjectInfo[]> {
    const below = folder === "" ? "" : `${folder}/`;
    const found = await this.listKeys(`${this.prefix}${below}`, signal);
    const out = found.map(({ key, ...facts }) => ({ name: key.slice(this.prefix.length), ...facts }));
    // With no folder given the doubled ones are among them.
    if (DOUBLED.test(below)) {
      const older = await this.listKeys(`${this.prefix}/${below}`, signal);
      out.push(...older.map(({ key, ...facts }) => ({ name: key.slice(this.prefix.length), ...facts })));
    }
    const byName = new Map<string, ObjectInfo>();
    // The doubled ones come first in the order of keys, so that a single one takes its place.
    for (const info of out.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const doubled = info.name.startsWith("/") && DOUBLED.test(info.name.slice(1));
      const name = doubled ? info.name.slice(1) : info.name;
      if (doubled) this.doubled.add(name);
      else this.doubled.delete(name);
      byName.set(name, { ...info, name });
    }
    return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  private async listKeys(
    prefix: string,
    signal: AbortSignal | undefined,
  ): Promise<{ key: string; sizeBytes: number; mtimeMs: number }[]> {
    const out: { key: string; sizeBytes: number; mtimeMs: number }[] = [];
    let token: string | undefined;
    do {
      const query = {
        "list-type": "2",
        "encoding-type": "url",
        prefix,
        ...(token === undefined ? {} : { "continuation-token": token }),
      };
      const answer = await this.client.send({ method: "GET", key: "", query, signal });
      const page = parseListPage(textOf(answer.body));
      if (page === undefined || (page.token !== undefined && page.token === token)) {
        throw new LevinError("Levin:Storage:ErrFailed", `Cannot list "${this.uri}": the answer is no listing`);
      }
      // Names with a slash at the end stand for folders.
      for (const object of page.objects) if (!object.key.endsWith("/")) out.push(object);
      token = page.token;
    } while (token !== undefined);
    return out;
  }
}
